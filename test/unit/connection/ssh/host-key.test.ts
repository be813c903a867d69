import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect } from '../../../../lib/connection/connect.ts'
import type { ConnectOptions } from '../../../../lib/connection/options.ts'
import { fingerprint } from '../../../../lib/connection/ssh/known-hosts.ts'
import { hostOf, ways } from '../host.ts'
import { type KeyType, type Sshd, startSshd } from '../sshd.ts'

describe.each(ways)('%s', (_, way) => {
  let sshd: Sshd
  beforeAll(async () => {
    sshd = await startSshd({ hostKeys: ['rsa', 'ecdsa', 'ed25519'] })
  })
  afterAll(() => sshd.stop())

  let files = 0
  const known = (text: string): string => {
    files += 1
    const file = join(sshd.folder, `known-${files}`)
    writeFileSync(file, text)
    return file
  }
  const at = (): string => `[127.0.0.1]:${sshd.port}`
  const print = (type: KeyType): string => fingerprint(Buffer.from(sshd.hostKeys[type].split(' ')[1] ?? '', 'base64'))
  const tryIt = async (options: ConnectOptions, link = {}): Promise<string> => {
    await using connection = await connect(hostOf(sshd, { ...way, ...link }), options)
    return (await connection.exec('echo in')).stdout.toString()
  }

  test.each<KeyType>(['rsa', 'ecdsa', 'ed25519'])(
    'a host that is known by its %s key alone is asked for that one',
    async (type) => {
      expect(await tryIt({ knownHosts: known(`${at()} ${sshd.hostKeys[type]}`) })).toBe('in\n')
    },
  )

  test('an unknown host is refused, with its fingerprint and what to do', async () => {
    const knownHosts = known('')
    await expect(tryIt({ knownHosts })).rejects.toMatchObject({
      name: 'LinkError',
      host: 'web-1',
      message: `the host key of 127.0.0.1 port ${sshd.port} is not known: ssh-ed25519 ${print('ed25519')} stands in none of ${knownHosts}`,
      hint: `Compare the fingerprint, then use --accept-new-host-keys, or: ssh-keyscan -p ${sshd.port} 127.0.0.1 >>${knownHosts}`,
    })
    expect(readFileSync(knownHosts, 'utf8')).toBe('')
  })

  test('an unknown host is remembered when new keys are accepted, and known from then on', async () => {
    const knownHosts = join(sshd.folder, 'made', 'known_hosts')
    expect(await tryIt({ knownHosts, acceptNewHostKeys: true })).toBe('in\n')
    expect(readFileSync(knownHosts, 'utf8')).toBe(`${at()} ${sshd.hostKeys.ed25519}\n`)
    expect(await tryIt({ knownHosts })).toBe('in\n')
  })

  test('StrictHostKeyChecking=no accepts new keys, and remembers them', async () => {
    const file = known('')
    const options = { stricthostkeychecking: 'no', userknownhostsfile: file }
    expect(await tryIt({}, { options })).toBe('in\n')
    expect(readFileSync(file, 'utf8')).toBe(`${at()} ${sshd.hostKeys.ed25519}\n`)
  })

  test.each([false, true])(
    'a changed key is refused, naming file and line, with accepting new keys %s',
    async (acceptNewHostKeys) => {
      const other = sshd.hostKeys.ed25519.replace(/.{6}$/, 'AAAAAA')
      const knownHosts = known(`# mine\n${at()} ${other}\n`)
      await expect(tryIt({ knownHosts, acceptNewHostKeys })).rejects.toMatchObject({
        name: 'LinkError',
        message: `the host key of 127.0.0.1 port ${sshd.port} has changed: it shows ssh-ed25519 ${print('ed25519')}, and ${knownHosts}:2 says otherwise`,
        hint: `Someone may be listening in, or the machine was made anew. If you know that it was, remove ${knownHosts}:2.`,
      })
      expect(readFileSync(knownHosts, 'utf8')).not.toContain(sshd.hostKeys.ed25519)
    },
  )

  test('a key of another type does not pass for a new one', async () => {
    const other = sshd.hostKeys.ecdsa.replace(/^\S+/, 'sk-ssh-ed25519@openssh.com')
    await expect(tryIt({ knownHosts: known(`${at()} ${other}\n`), acceptNewHostKeys: true })).rejects.toThrow(
      'has changed',
    )
  })

  test('a revoked key is refused though it is known', async () => {
    const knownHosts = known(`${at()} ${sshd.hostKeys.ed25519}\n@revoked * ${sshd.hostKeys.ed25519}\n`)
    await expect(tryIt({ knownHosts, acceptNewHostKeys: true })).rejects.toThrow(
      `is revoked: ssh-ed25519 ${print('ed25519')}, by ${knownHosts}:2`,
    )
  })

  test('a host that only a certificate authority vouches for is refused, and says why', async () => {
    const knownHosts = known(`@cert-authority * ${sshd.hostKeys.rsa}\n`)
    await expect(tryIt({ knownHosts, acceptNewHostKeys: true })).rejects.toThrow(
      `127.0.0.1 port ${sshd.port} shows ssh-ed25519 ${print('ed25519')}, which no certificate of the authority that vouches for it (${knownHosts}:1) covers`,
    )
  })

  test('nothing is sent to a host that is refused: no key is offered', async () => {
    const before = readFileSync(join(sshd.folder, 'log'), 'utf8').length
    await expect(tryIt({ knownHosts: known('') })).rejects.toThrow('is not known')
    expect(readFileSync(join(sshd.folder, 'log'), 'utf8').slice(before)).not.toMatch(/publickey|authenticat/i)
  })

  test('connections at once to a new host leave one line', async () => {
    const options = { knownHosts: known(''), acceptNewHostKeys: true }
    await Promise.all(Array.from({ length: 8 }, () => tryIt(options)))
    expect(readFileSync(options.knownHosts, 'utf8')).toBe(`${at()} ${sshd.hostKeys.ed25519}\n`)
    expect(existsSync(`${options.knownHosts}.vestal-lock`)).toBe(false)
  })

  test('a known_hosts file that cannot be read or written is named', async () => {
    await expect(tryIt({ knownHosts: sshd.folder })).rejects.toMatchObject({
      name: 'LinkError',
      message: expect.stringContaining(`${sshd.folder} cannot be read: EISDIR`),
    })
    const file = join(sshd.folder, 'no-folder', 'known_hosts')
    writeFileSync(join(sshd.folder, 'no-folder'), '')
    await expect(tryIt({ knownHosts: file, acceptNewHostKeys: true })).rejects.toMatchObject({
      name: 'LinkError',
      message: expect.stringContaining(`${file} cannot be read: ENOTDIR`),
    })
    const locked = join('/proc', 'known_hosts')
    await expect(tryIt({ knownHosts: locked, acceptNewHostKeys: true })).rejects.toMatchObject({
      name: 'LinkError',
      message: expect.stringContaining(`its host key cannot be kept in ${locked}: ENOENT`),
    })
  })
})
