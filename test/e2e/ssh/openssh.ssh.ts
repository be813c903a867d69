/** What OpenSSH users have, each logged in with and deployed by on a lab host: certificates of users and hosts, a ProxyCommand, an agent's key, a hardware key. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import { startSoftKey } from '../../unit/connection/openssh/soft-key.ts'
import { makeKey } from '../../unit/connection/sshd.ts'
import { onHost, reportOf, startVestal, vestal } from '../vestal.ts'
import { changedInventory } from './every-deploy.ts'

const lab = inject('lab')
const [bastion = '', address = ''] = lab.hosts.map((host) => host.address)
const folder = mkdtempSync(join(tmpdir(), 'vestal-ssh-suite-'))
const authority = makeKey(join(folder, 'authority'))
/** Not one that the lab's hosts let in. */
const own = makeKey(join(folder, 'own'))
const CONFIG = '/etc/ssh/sshd_config.d/00-vestal-test.conf'
const OWN_KEY = '/etc/ssh/ssh_host_ed25519_key'
const CERTIFICATE = '/etc/ssh/vestal-test-cert.pub'
const AUTHORITY = '/etc/ssh/vestal-test-authority.pub'

const publicHalf = (key: string): string => readFileSync(`${key}.pub`, 'utf8').split(' ', 2).join(' ').trim()
const certify = (key: string, words: readonly string[]): string => {
  execFileSync('ssh-keygen', ['-q', '-s', authority, '-I', 'vestal-test', ...words, `${key}.pub`])
  return `${key}-cert.pub`
}
const fileOf = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

/** The host's own key gets a certificate, and the host an authority whose users it lets in. */
beforeAll(async () => {
  const hostKey = join(folder, 'host')
  writeFileSync(`${hostKey}.pub`, await onHost(address, `cat ${OWN_KEY}.pub`))
  const certificate = certify(hostKey, ['-h', '-n', address])
  await onHost(address, `cat >${CERTIFICATE}`, readFileSync(certificate, 'utf8'))
  await onHost(address, `cat >${AUTHORITY}`, readFileSync(`${authority}.pub`, 'utf8'))
  const lines = [`HostKey ${OWN_KEY}`, `HostCertificate ${CERTIFICATE}`, `TrustedUserCAKeys ${AUTHORITY}`]
  await onHost(address, `cat >${CONFIG}; systemctl restart ssh`, `${lines.join('\n')}\n`)
})
afterAll(async () => {
  await onHost(address, `rm -f ${CONFIG} ${CERTIFICATE} ${AUTHORITY}; systemctl restart ssh`)
  await onHost(address, 'systemctl stop prometheus alertmanager node_exporter')
})

const inventoryWith = (vars: Readonly<Record<string, unknown>>): string =>
  changedInventory('certified', { address, vars })
/** How many scripts a deploy takes that changes something, and one that doesn't: by the built-in SSH, and so by any. */
let usual: readonly number[] | undefined
/** Deploys, and finds nothing left to do after it; in as many scripts as ever. */
const deploys = async (vars: Readonly<Record<string, unknown>>, env: Readonly<Record<string, string>> = {}) => {
  const inventory = inventoryWith(vars)
  const ended = await vestal(['deploy', '-i', inventory, '--json'], { env })
  expect(ended, ended.stdout + ended.stderr).toMatchObject({ code: 0 })
  expect(reportOf(ended).hosts.certified?.['service prometheus']).toMatchObject({ status: 'changed' })
  const again = await vestal(['deploy', '-i', inventory, '--json'], { env })
  const scripts = [ended, again].map((one) => reportOf(one).cost.certified?.execs ?? 0)
  usual ??= scripts
  expect(scripts).toEqual(usual)
  expect(await vestal(['status', '-i', inventory], { env })).toMatchObject({ code: 0 })
}
/** What `plan` says of a host that it can't log in to. */
const refused = async (vars: Readonly<Record<string, unknown>>): Promise<string> => {
  const { code, stdout, stderr } = await vestal(['plan', '-i', inventoryWith(vars)])
  expect(code, stdout + stderr).toBe(1)
  return stdout + stderr
}

const trusted = (): string => fileOf('trusted', `@cert-authority ${address} ${publicHalf(authority)}\n`)
const known = `-o UserKnownHostsFile=${lab.knownHosts}`

test('by the built-in SSH', async () => {
  expect(await vestal(['deploy', '-i', inventoryWith({})])).toMatchObject({ code: 0 })
  await deploys({})
})

test('by OpenSSH, because it is asked for', () => deploys({ ansible_ssh_executable: 'ssh' }))

test('a host that is known by the authority of its certificate alone', () =>
  deploys({
    ansible_ssh_common_args: `-o UserKnownHostsFile=${trusted()} -o HostKeyAlgorithms=ssh-ed25519-cert-v01@openssh.com`,
  }))

test('a user who has a certificate, and no key on the host', async () => {
  const said = await refused({ ansible_ssh_private_key_file: own })
  expect(said).toContain('refused the login')
  certify(own, ['-n', 'root'])
  await deploys({ ansible_ssh_private_key_file: own })
})

test('a user certificate that has expired is refused', async () => {
  const late = makeKey(join(folder, 'late'))
  certify(late, ['-n', 'root', '-V', '20200101:20200102'])
  const said = await refused({ ansible_ssh_private_key_file: late })
  expect(said).toMatch(/refused the login: tried .*the certificate of key/)
})

test('a ProxyCommand with options of its own, through a bastion', () =>
  deploys({
    ansible_ssh_common_args: `${known} -o ProxyCommand="ssh -F none -q -i ${lab.key} -o UserKnownHostsFile=${lab.knownHosts} -o BatchMode=yes -o ServerAliveInterval=5 -W %h:%p ops@${bastion}"`,
  }))

test('a ProxyCommand that is no ssh', () =>
  deploys({
    ansible_ssh_common_args: `${known} -o ProxyCommand="bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&3 & cat >&3; kill 0'"`,
  }))

test('a jump host, all of the way by OpenSSH', () =>
  deploys({ ansible_ssh_executable: 'ssh', ansible_ssh_common_args: `${known} -J ops@${bastion}` }))

describe('an agent', () => {
  test('with a key, by either way', async () => {
    const socket = join(folder, 'agent')
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
    onTestFinished(async () => {
      agent.kill()
      await once(agent, 'exit')
    })
    while (!existsSync(socket)) await sleep(10)
    execFileSync('ssh-add', ['-q', lab.key], { env: { ...process.env, SSH_AUTH_SOCK: socket } })
    const env = { SSH_AUTH_SOCK: socket }
    await deploys({ ansible_ssh_private_key_file: null }, env)
    await deploys({ ansible_ssh_private_key_file: null, ansible_ssh_executable: 'ssh' }, env)
  })

  test('with a hardware key', async () => {
    const socket = join(folder, 'soft')
    const soft = await startSoftKey(socket)
    onTestFinished(() => soft.stop())
    await onHost(address, 'cat >>/root/.ssh/authorized_keys', `${soft.publicKey}\n`)
    onTestFinished(async () => void (await onHost(address, 'sed -i /^sk-/d /root/.ssh/authorized_keys')))
    await deploys({ ansible_ssh_private_key_file: null }, { SSH_AUTH_SOCK: socket })
    expect(soft.signed()).toBe(3)
  })
})

test('a run that watches alerts has its port of the host’s loopback lead back by OpenSSH', async () => {
  await deploys({ ansible_ssh_executable: 'ssh' })
  // Of one Prometheus, a restart would lose alerts by whatever way: that of its exporter loses none.
  const vars = { ansible_ssh_executable: 'ssh', node_exporter: { version: '1.11.1', log_level: 'warn' } }
  const inventory = changedInventory('certified', { address, vars, again: true })
  const ended = await vestal(['deploy', '-i', inventory, '--watch-alerts', '--json', '--yes'])
  expect(ended, ended.stdout + ended.stderr).toMatchObject({ code: 0 })
  const { alerts } = reportOf(ended)
  expect(alerts).toMatchObject({ lost: 0, duplicated: 0, linksLost: 0 })
  expect(alerts?.delivered).toBeGreaterThan(0)
})

test('Ctrl-C finishes what is under way, and the next run goes on', async () => {
  const inventory = inventoryWith({ ansible_ssh_executable: 'ssh' })
  let told = false
  const interrupted = await startVestal(['deploy', '-i', inventory, '--json'], {
    onEvent(event, { kill }) {
      if (event.event !== 'step' || event.state !== 'started' || told) return
      told = true
      kill('SIGINT')
    },
  }).ended
  expect([interrupted.code, reportOf(interrupted).interrupted]).toEqual([130, true])
  expect(await vestal(['deploy', '-i', inventory])).toMatchObject({ code: 0 })
  expect(await vestal(['plan', '-i', inventory, '--exit-code'])).toMatchObject({ code: 0 })
})

describe('what is refused is refused by name', () => {
  test('a host key that is revoked, itself or by its authority', async () => {
    const keys = execFileSync('ssh-keyscan', ['-t', 'ed25519', address], { stdio: ['ignore', 'pipe', 'ignore'] })
    const [, type, key] = keys.toString().trim().split(' ')
    const file = fileOf('revoked', `${type} ${key}\n`)
    const byFile = await refused({ ansible_ssh_common_args: `${known} -o RevokedHostKeys=${file}` })
    expect(byFile).toMatch(new RegExp(`the host key of ${address} is revoked: \\S+ SHA256:\\S+, by ${file}`))
    const marked = fileOf('marked', `${readFileSync(trusted(), 'utf8')}@revoked * ${publicHalf(authority)}\n`)
    const byMark = await refused({
      ansible_ssh_common_args: `-o UserKnownHostsFile=${marked} -o HostKeyAlgorithms=ssh-ed25519-cert-v01@openssh.com`,
    })
    expect(byMark).toMatch(new RegExp(`is revoked: .*, by ${marked}:2`))
  })

  test.each([
    ['KexAlgorithms=aes999', 'aes999'],
    ['Ciphers=aes999', 'aes999'],
    ['MACs=hmac999', 'hmac999'],
    ['HostKeyAlgorithms=rsa999', 'rsa999'],
    ['RequiredRSASise=1', 'requiredrsasise'],
  ])('%s, which OpenSSH doesn’t know', async (option, name) => {
    const said = await refused({ ansible_ssh_common_args: `${known} -o ${option}` })
    expect(said).toContain(`ssh does not take its configuration for ${address}`)
    expect(said).toContain(name)
  })

  test.each([
    'ProxyCommand="nc --auth op:hunter2 %h %p"',
    'RevokedHostKeys=/etc/revoked',
    'KexAlgorithms=sntrup761x25519-sha512@openssh.com',
    'Ciphers=3des-cbc',
    'MACs=umac-64@openssh.com',
    'CertificateFile=/etc/id-cert.pub',
    'HostKeyAlgorithms=ssh-rsa',
  ])('%s, where there is no OpenSSH', async (option) => {
    const bin = mkdtempSync(join(folder, 'bin-'))
    for (const name of ['sh', 'rm', 'env', 'ip', 'nsenter'])
      execFileSync('sh', ['-c', `ln -s "$(command -v ${name})" ${bin}/${name}`])
    const inventory = inventoryWith({ ansible_ssh_common_args: `${known} -o '${option.replaceAll('"', '')}'` })
    const { code, stdout, stderr } = await vestal(['plan', '-i', inventory], { env: { PATH: bin } })
    expect(code).toBe(1)
    expect(stdout + stderr).toContain(`there is no ssh on this machine, which is needed for ${option.split('=')[0]}`)
    expect(stdout + stderr).not.toContain('hunter2')
  })
})
