import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { connect } from '../../../../lib/connection/connect.ts'
import type { ConnectOptions } from '../../../../lib/connection/options.ts'
import type { LinkError } from '../../../../lib/errors.ts'
import type { Link } from '../../../../lib/model.ts'
import { hostOf, ways } from '../host.ts'
import { makeKey, me, type Sshd, startSshd } from '../sshd.ts'
import { startSoftKey } from './soft-key.ts'

let folder: string
let authority: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vestal-openssh-'))
  authority = makeKey(join(folder, 'authority'))
  vi.stubEnv('SSH_AUTH_SOCK', undefined)
})
beforeEach(() => void vi.stubEnv('SSH_AUTH_SOCK', undefined))
afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})
const certify = (key: string, words: readonly string[]): void =>
  void execFileSync('ssh-keygen', ['-q', '-s', authority, '-I', 'test', ...words, `${key}.pub`])
const publicHalf = (key: string): string => readFileSync(`${key}.pub`, 'utf8').split(' ', 2).join(' ').trim()
const started = async (config: readonly string[] = []): Promise<Sshd> => {
  const sshd = await startSshd({ config })
  onTestFinished(() => sshd.stop())
  return sshd
}
const tryIt = async (sshd: Sshd, link: Partial<Link> = {}, options: ConnectOptions = {}): Promise<string> => {
  await using connection = await connect(hostOf(sshd, link), { knownHosts: sshd.knownHosts, ...options })
  return (await connection.exec('echo in')).stdout.toString()
}
let names = 0
const named = (what: string): string => {
  names += 1
  return join(folder, `${what}-${names}`)
}

describe('a user certificate', () => {
  let trusting: Sshd
  beforeAll(async () => {
    trusting = await startSshd({ config: [`TrustedUserCAKeys ${authority}.pub`] })
  })
  afterAll(() => trusting.stop())

  test('that stands beside a key lets in', async () => {
    const keyFile = makeKey(named('user'))
    await expect(tryIt(trusting, { keyFile })).rejects.toThrow('refused the login')
    certify(keyFile, ['-n', me])
    expect(await tryIt(trusting, { keyFile })).toBe('in\n')
  })

  test('that CertificateFile names lets in', async () => {
    const keyFile = makeKey(named('user'))
    certify(keyFile, ['-n', me])
    const certificate = named('certificate')
    execFileSync('mv', [`${keyFile}-cert.pub`, certificate])
    expect(await tryIt(trusting, { keyFile, options: { certificatefile: certificate } })).toBe('in\n')
  })

  test('that an agent holds lets in', async () => {
    const socket = named('agent')
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
    onTestFinished(async () => {
      agent.kill()
      await once(agent, 'exit')
    })
    while (!existsSync(socket)) await sleep(10)
    const key = makeKey(named('user'))
    certify(key, ['-n', me])
    execFileSync('ssh-add', ['-q', key], { env: { ...process.env, SSH_AUTH_SOCK: socket } })
    vi.stubEnv('SSH_AUTH_SOCK', socket)
    expect(await tryIt(trusting, { keyFile: undefined })).toBe('in\n')
  })

  test('that has expired, or is for somebody else, does not, and what was tried is told', async () => {
    for (const words of [
      ['-n', me, '-V', '20200101:20200102'],
      ['-n', 'nobody'],
    ]) {
      const keyFile = makeKey(named('user'))
      certify(keyFile, words)
      await expect(tryIt(trusting, { keyFile })).rejects.toMatchObject({
        name: 'LinkError',
        message: expect.stringMatching(
          new RegExp(
            `^${me}@127.0.0.1:${trusting.port} refused the login: tried .*the certificate of key ${keyFile} \\(SHA256:`,
          ),
        ),
      })
    }
  })
})

describe('a host certificate', () => {
  const withCertificate = async (words: readonly string[]): Promise<Sshd> => {
    const hostKey = makeKey(named('host'))
    certify(hostKey, ['-h', ...words])
    return started([`HostKey ${hostKey}`, `HostCertificate ${hostKey}-cert.pub`])
  }
  const trustFile = (text: string): string => {
    const file = named('known')
    writeFileSync(file, text)
    return file
  }

  test('of an authority that known_hosts names is accepted, without the host’s own key', async () => {
    const sshd = await withCertificate(['-n', '127.0.0.1'])
    const knownHosts = trustFile(`@cert-authority * ${publicHalf(authority)}\n`)
    expect(await tryIt(sshd, {}, { knownHosts })).toBe('in\n')
    expect(readFileSync(knownHosts, 'utf8').split('\n')).toHaveLength(2)
  })

  test.each([
    ['another name', ['-n', 'elsewhere'], /name is not a listed principal/],
    ['another time', ['-n', '127.0.0.1', '-V', '20200101:20200102'], /expired/],
  ])('for %s is refused, with the reason', async (_, words, reason) => {
    const sshd = await withCertificate(words)
    const knownHosts = trustFile(`@cert-authority * ${publicHalf(authority)}\n`)
    await expect(tryIt(sshd, {}, { knownHosts, acceptNewHostKeys: true })).rejects.toMatchObject({
      name: 'LinkError',
      message: expect.stringMatching(reason),
    })
  })

  test('of an authority that is revoked is refused, naming the line', async () => {
    const sshd = await withCertificate(['-n', '127.0.0.1'])
    const mark = `* ${publicHalf(authority)}`
    const knownHosts = trustFile(`@cert-authority ${mark}\n@revoked ${mark}\n`)
    await expect(tryIt(sshd, {}, { knownHosts, acceptNewHostKeys: true })).rejects.toThrow(
      new RegExp(`^the host key of .* is revoked: .*, by ${knownHosts}:2$`),
    )
  })

  test('of an authority that nobody knows is refused', async () => {
    const sshd = await withCertificate(['-n', '127.0.0.1'])
    const knownHosts = trustFile(`@cert-authority * ${publicHalf(makeKey(named('other')))}\n`)
    await expect(tryIt(sshd, {}, { knownHosts, acceptNewHostKeys: true })).rejects.toThrow(
      `which no certificate of the authority that vouches for it (${knownHosts}:1) covers`,
    )
  })
})

test('a key that RevokedHostKeys names is refused, naming the file', async () => {
  const sshd = await started()
  const file = named('revoked')
  writeFileSync(file, `${sshd.hostKeys.ed25519}\n`)
  await expect(tryIt(sshd, { options: { revokedhostkeys: file } })).rejects.toThrow(
    new RegExp(`^the host key of 127.0.0.1 port ${sshd.port} is revoked: ssh-ed25519 SHA256:\\S+, by ${file}$`),
  )
  writeFileSync(file, `${publicHalf(authority)}\n`)
  expect(await tryIt(sshd, { options: { revokedhostkeys: file } })).toBe('in\n')
})

test('a command that knows the host keys is asked', async () => {
  const sshd = await started()
  const command = `/bin/echo [127.0.0.1]:${sshd.port} ${sshd.hostKeys.ed25519}`
  const knownHosts = named('empty')
  expect(await tryIt(sshd, { options: { knownhostscommand: command } }, { knownHosts })).toBe('in\n')
})

test('a host with algorithms that only OpenSSH has is reached where they are asked for', async () => {
  const kexalgorithms = 'sntrup761x25519-sha512@openssh.com'
  const sshd = await started([`KexAlgorithms ${kexalgorithms}`])
  expect(await tryIt(sshd, { options: { kexalgorithms } })).toBe('in\n')
})

describe('a ProxyCommand', () => {
  const TCP = `bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&3 & cat >&3; kill 0'`

  test('leads to the host, and to its ports', async () => {
    const sshd = await started()
    const host = hostOf(sshd, { options: { proxycommand: TCP } })
    await using connection = await connect(host, { knownHosts: sshd.knownHosts })
    const { stdout } = await connection.exec('cat | wc -c', { stdin: Buffer.alloc(3_000_000) })
    expect(stdout.toString()).toBe('3000000\n')
    await expect(connection.request({ port: 1, path: '/' })).rejects.toThrow('nothing listens on 127.0.0.1:1')
    await connection[Symbol.asyncDispose]()
    await sshd.quiet()
  })

  test('that is ssh -W with options leads through a bastion', async () => {
    const bastion = await started()
    const sshd = await started()
    const proxycommand = `ssh -F none -i ${bastion.key} -o UserKnownHostsFile=${bastion.knownHosts} -o BatchMode=yes -p ${bastion.port} -W %h:%p ${me}@127.0.0.1`
    expect(await tryIt(sshd, { options: { proxycommand } })).toBe('in\n')
  })

  test('of the operator’s own configuration counts too', async () => {
    const sshd = await started()
    const configFile = named('config')
    writeFileSync(configFile, `Host 127.*\n  ProxyCommand ${TCP}\n`)
    expect(await tryIt(sshd, {}, { configFile })).toBe('in\n')
  })

  test('that ends says so in its own words, without those that may be a password', async () => {
    const sshd = await started()
    const proxycommand = "sh -c 'echo no way in for op:hunter2 >&2; exit 1' proxy --auth op:hunter2 %h %p"
    const error: LinkError = await tryIt(sshd, { options: { proxycommand } }).then(
      () => expect.unreachable(),
      (one) => one,
    )
    expect(error).toMatchObject({ name: 'LinkError', hint: expect.stringContaining('Run it by hand') })
    expect(error.message).toMatch(/^the ProxyCommand of 127\.0\.0\.1 ended before .* answered: /)
    expect(`${error.message} ${error.hint}`).not.toContain('hunter2')
  })

  test('that never answers is given up in time, and leaves nothing behind', async () => {
    const sshd = await started()
    const mark = `${1_000_000 + sshd.port}`
    const began = Date.now()
    await expect(tryIt(sshd, { options: { proxycommand: `sleep ${mark}` }, connectTimeout: '1s' })).rejects.toThrow(
      `127.0.0.1:${sshd.port} did not finish the SSH handshake within 1.0 s`,
    )
    expect(Date.now() - began).toBeLessThan(8_000)
    await vi.waitFor(() => expect(running(mark)).toEqual([]), { timeout: 5_000 })
  })
})

test('a hardware key in an agent signs in', async () => {
  const sshd = await started()
  const socket = named('soft')
  const soft = await startSoftKey(socket)
  onTestFinished(() => soft.stop())
  vi.stubEnv('SSH_AUTH_SOCK', socket)
  await expect(tryIt(sshd, { keyFile: undefined })).rejects.toThrow('refused the login: tried ssh-agent (1 key)')
  appendFileSync(join(sshd.folder, 'authorized_keys'), `${soft.publicKey}\n`)
  expect(await tryIt(sshd, { keyFile: undefined })).toBe('in\n')
  expect(soft.signed()).toBe(1)
})

test('what needs OpenSSH is named where there is none', async () => {
  const sshd = await started()
  const link = { program: '/nowhere/ssh', options: { proxycommand: 'nc --auth op:hunter2 %h %p', ciphers: 'aes999' } }
  await expect(tryIt(sshd, link)).rejects.toMatchObject({
    name: 'LinkError',
    message:
      'there is no /nowhere/ssh on this machine, which is needed for ansible_ssh_executable /nowhere/ssh, ProxyCommand, Ciphers',
    hint: 'Install OpenSSH (openssh-client), or set `ansible_ssh_executable` to where it is.',
  })
})

test('a setting that OpenSSH doesn’t take is told in its words', async () => {
  const sshd = await started()
  await expect(tryIt(sshd, { options: { kexalgorithmz: 'a' } })).rejects.toThrow(
    /^ssh does not take its configuration for 127\.0\.0\.1: .*kexalgorithmz/,
  )
  await expect(tryIt(sshd, { options: { ciphers: 'aes999' } })).rejects.toThrow(
    /^ssh does not take its configuration for 127\.0\.0\.1: .*aes999/,
  )
})

test('a Vestal that is killed leaves no login and no file behind', async () => {
  const sshd = await started()
  const scratch = mkdtempSync(join(folder, 'tmp-'))
  const program = join(import.meta.dirname, '../leaver.ts')
  const leaver = spawn(process.execPath, [program, String(sshd.port), sshd.key, sshd.knownHosts, 'ssh'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: scratch },
  })
  onTestFinished(() => void leaver.kill('SIGKILL'))
  await once(leaver.stdout, 'data')
  const [own = ''] = readdirSync(scratch)
  expect(readdirSync(join(scratch, own))).toEqual(['m'])
  leaver.kill('SIGKILL')
  await sshd.quiet()
  await vi.waitFor(() => expect(readdirSync(scratch)).toEqual([]), { timeout: 5_000 })
  expect(running(own)).toEqual([])
})

test.each(ways)('a host that has an IPv6 address, %s', async (_, way) => {
  const sshd = await started(['ListenAddress ::1'])
  const knownHosts = named('known')
  writeFileSync(knownHosts, `[::1]:${sshd.port} ${sshd.hostKeys.ed25519}\n`)
  await using connection = await connect(hostOf(sshd, { ...way, address: '::1' }), { knownHosts })
  expect((await connection.exec('echo ${SSH_CLIENT%% *}')).stdout.toString()).toBe('::1\n')
  await expect(connection.request({ address: '::1', port: 1, path: '/' })).rejects.toThrow(/^nothing listens on .*::1/)
})

test('an account without a login shell, as a service has, can be logged in from', async () => {
  const sshd = await started()
  vi.stubEnv('SHELL', '/usr/sbin/nologin')
  onTestFinished(() => void vi.stubEnv('SHELL', undefined))
  expect(await tryIt(sshd, { program: 'ssh' })).toBe('in\n')
})

test('Ctrl-C at the terminal is Vestal’s alone: the login goes on', async () => {
  const sshd = await started()
  const program = join(import.meta.dirname, '../leaver.ts')
  const words = ['--import', 'data:text/javascript,process.on("SIGINT",()=>{})', program]
  const leaver = spawn(process.execPath, [...words, String(sshd.port), sshd.key, sshd.knownHosts, 'ssh'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  })
  onTestFinished(() => void leaver.kill('SIGKILL'))
  await once(leaver.stdout, 'data')
  process.kill(-(leaver.pid ?? 0), 'SIGINT')
  leaver.stdin.write('again')
  const [said] = await once(leaver.stdout, 'data')
  expect(String(said)).toBe('again\n')
  leaver.stdin.write('leave')
  expect(await once(leaver, 'exit')).toEqual([0, null])
  await sshd.quiet()
})

/** The command lines of processes that have this word in theirs. */
const running = (word: string): readonly string[] =>
  readdirSync('/proc').flatMap((pid) => {
    try {
      const line = /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : ''
      return line.includes(word) ? [line.replaceAll('\0', ' ')] : []
    } catch {
      return [] // It has ended meanwhile.
    }
  })
