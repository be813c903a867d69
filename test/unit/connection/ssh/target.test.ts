import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { ConnectOptions } from '../../../../lib/connection/options.ts'
import { readSshConfig } from '../../../../lib/connection/ssh/config.ts'
import { type Target, targetOf } from '../../../../lib/connection/ssh/target.ts'
import type { Link } from '../../../../lib/model.ts'
import { Secret } from '../../../../lib/secret.ts'
import { hostWith } from '../host.ts'
import { me } from '../sshd.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vestal-target-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
})
const configFile = (text: string, name = 'config'): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const target = async (config: string, link: Partial<Link>, flags: ConnectOptions = {}): Promise<Target> => {
  const lookup = await readSshConfig(configFile(config))
  return targetOf(hostWith(link), {
    flags,
    lookup,
    home: '/home/op',
    login: 'op',
    env: { SSH_AUTH_SOCK: '/run/agent' },
  })
}

describe("ssh's configuration is read as ssh reads it", () => {
  const config = `
    # before any section
    ServerAliveInterval 7
    Host db
      HostName 10.1.2.3
      Port 2022
      User admin
      IdentityFile ~/.ssh/db
      IdentityFile /keys/second
      ProxyJump ops@bastion:2222
    Host *.internal !secret.internal
      User inside
      IdentitiesOnly yes
      UserKnownHostsFile ~/a "~/b c"
    Match host other user ${me}
      HostKeyAlias other-alias
    Host *
      User fallback
      Port 99
      StrictHostKeyChecking accept-new`
  test.each(['db', 'web.internal', 'secret.internal', 'other', 'plain'])('%s', async (name) => {
    const ours = await target(config, { address: name })
    const theirs = settingsOf(configFile(config), name)
    expect(ours.address).toBe(theirs.hostname?.[0])
    expect(String(ours.port)).toBe(theirs.port?.[0])
    expect(ours.user).toBe(theirs.user?.[0])
    expect(String(ours.keepAlive.everyMs / 1_000)).toBe(theirs.serveraliveinterval?.[0])
    expect(ours.onlyTheseKeys).toBe(theirs.identitiesonly?.[0] === 'yes')
    expect(ours.knownAs).toBe(theirs.hostkeyalias?.[0] ?? theirs.hostname?.[0])
    expect(ours.acceptNew).toBe(theirs.stricthostkeychecking?.[0] === 'accept-new')
    if (ours.keys.length > 0) expect(ours.keys.map(({ path }) => path)).toEqual(theirs.identityfile?.map(atHome))
    if (ours.via) expect(`${ours.via.user}@${ours.via.address}:${ours.via.port}`).toBe(theirs.proxyjump?.[0])
    expect(ours.via !== undefined).toBe(theirs.proxyjump !== undefined)
  })

  test('files are included where they are named, and their sections end with them', async () => {
    mkdirSync(join(folder, 'more'))
    writeFileSync(join(folder, 'more', '1.conf'), 'Host db\n  Port 1111\n')
    writeFileSync(join(folder, 'more', '2.conf'), 'Host db\n  Port 2222\n  User second\n')
    const text = `Include ${folder}/more/*.conf\nServerAliveInterval 9\nHost db\n  User third\n`
    const { port, user, keepAlive } = await target(text, { address: 'db' })
    const theirs = settingsOf(configFile(text), 'db')
    expect([String(port), user, String(keepAlive.everyMs / 1_000)]).toEqual([
      theirs.port?.[0],
      theirs.user?.[0],
      theirs.serveraliveinterval?.[0],
    ])
    expect((await target(text, { address: 'elsewhere' })).keepAlive.everyMs).toBe(9_000)
  })
})

describe('the inventory and the flags come first', () => {
  test('user, port and options of the inventory win over the configuration', async () => {
    const config = 'Host *\n  User conf\n  Port 99\n  StrictHostKeyChecking accept-new\n  HostKeyAlias conf'
    const options = {
      stricthostkeychecking: 'yes',
      hostkeyalias: 'inv',
      serveraliveinterval: '3',
      serveralivecountmax: '9',
      connecttimeout: '4',
    }
    expect(await target(config, { user: 'inv', port: 2022, options })).toMatchObject({
      user: 'inv',
      port: 2022,
      knownAs: 'inv',
      acceptNew: false,
      keepAlive: { everyMs: 3_000, times: 9 },
      timeoutMs: 4_000,
    })
  })

  test('keys are tried in the order flag, inventory, options, configuration', async () => {
    const link = { keyFile: '~/inv', options: { identityfile: '%d/opt-%h' } }
    const { keys } = await target('IdentityFile ${NOWHERE}/conf', link, { privateKey: '/flag' })
    expect(keys).toEqual([
      { path: '/flag', required: true },
      { path: '/home/op/inv', required: true },
      { path: '/home/op/opt-127.0.0.1', required: false },
      { path: '${NOWHERE}/conf', required: false },
    ])
  })

  test('--known-hosts is the only file of known hosts', async () => {
    const options = { userknownhostsfile: '/inv' }
    expect((await target('', { options }, { knownHosts: '/flag' })).knownHosts).toEqual(['/flag'])
    expect((await target('', { options })).knownHosts).toEqual(['/inv', '/etc/ssh/ssh_known_hosts'])
    expect((await target('', {})).knownHosts).toEqual(['/home/op/.ssh/known_hosts', '/etc/ssh/ssh_known_hosts'])
  })

  test('host key checks cannot be turned off: no and /dev/null mean to accept new keys and to remember them', async () => {
    const options = { stricthostkeychecking: 'no', userknownhostsfile: '/dev/null' }
    const { acceptNew, knownHosts } = await target('', { options })
    expect(acceptNew).toBe(true)
    expect(knownHosts[0]).toBe('/home/op/.ssh/known_hosts')
  })

  test('the agent is the usual one, another, or none', async () => {
    expect((await target('', {})).agent).toBe('/run/agent')
    expect((await target('IdentityAgent none', {})).agent).toBeUndefined()
    expect((await target('', { options: { identityagent: '~/agent' } })).agent).toBe('/home/op/agent')
  })
})

describe('jump hosts', () => {
  const way = (one?: Target): readonly string[] =>
    one ? [...way(one.via), `${one.user}@${one.address}:${one.port}`] : []

  test('several are passed in the order in which they are named, each as the configuration has it', async () => {
    const config = 'Host a\n  HostName 10.0.0.1\n  User ua\nHost b\n  ProxyJump never\nHost target\n  User ut'
    expect(way(await target(config, { address: 'target', options: { proxyjump: 'a,root@b:2222' } }))).toEqual([
      'ua@10.0.0.1:22',
      'root@b:2222',
      'ut@target:22',
    ])
  })

  test("a jump host's own jump host is passed before it", async () => {
    expect(way(await target('Host a\n  ProxyJump z', { options: { proxyjump: 'a' } }))).toEqual([
      'op@z:22',
      'op@a:22',
      'op@127.0.0.1:22',
    ])
  })

  test('a jump host that all hosts have is reached directly itself', async () => {
    expect(way(await target('Host *\n  ProxyJump bastion', {}))).toEqual(['op@bastion:22', 'op@127.0.0.1:22'])
  })

  test('the inventory can take a jump host away', async () => {
    expect((await target('Host *\n  ProxyJump bastion', { options: { proxyjump: 'none' } })).via).toBeUndefined()
  })

  test('they get the keys, the known hosts and the time limit, and never the password, of the host', async () => {
    const link = {
      keyFile: '/key',
      password: new Secret('p'),
      options: { proxyjump: 'a', userknownhostsfile: '/known', identityfile: '/own', hostname: 'x' },
    }
    const { via } = await target('', { ...link, connectTimeout: '3s' })
    expect(via).toMatchObject({ address: 'a', keys: [{ path: '/key', required: false }], timeoutMs: 3_000, user: 'op' })
    expect(via?.knownHosts[0]).toBe('/known')
    expect(via?.password).toBeUndefined()
  })

  test('a circle of jump hosts is refused', async () => {
    const config = 'Host a\n  ProxyJump b\nHost b\n  ProxyJump a'
    await expect(target(config, { address: 'a' })).rejects.toThrow(
      'its jump hosts go round in a circle: a through b through a',
    )
  })

  test('a ProxyJump that is none is refused', async () => {
    await expect(target('', { options: { proxyjump: 'a b' } })).rejects.toThrow(
      'the ProxyJump of 127.0.0.1 cannot be read: a b',
    )
    await expect(target('Host *\n ProxyJump a b', {})).rejects.toThrow('the ProxyJump of 127.0.0.1 cannot be read: a b')
  })
})

test('a ProxyCommand of the form ssh -W %h:%p BASTION is that jump host', async () => {
  const { via } = await target('Host *\n ProxyCommand ssh -W %h:%p -q jump@198.51.100.7 -p 2222', {})
  expect(via).toMatchObject({ address: '198.51.100.7', port: 2222, user: 'jump' })
})

describe('settings that only OpenSSH can honour are told by name and line', () => {
  test.each([
    ['RevokedHostKeys /etc/ssh/revoked', 'RevokedHostKeys'],
    ['KnownHostsCommand /usr/bin/keys %H', 'KnownHostsCommand'],
    ['CertificateFile ~/.ssh/id-cert.pub', 'CertificateFile'],
    ['ProxyCommand nc -X connect --proxy-auth op:hunter2 %h %p', 'ProxyCommand'],
    ["ProxyCommand ssh -W %h:%p 'a", 'ProxyCommand'],
    ['Ciphers 3des-cbc', 'Ciphers'],
    ['Ciphers aes256-ctr,3des-cbc', 'Ciphers'],
    ['MACs umac-64@openssh.com', 'MACs'],
    ['KexAlgorithms sntrup761x25519-sha512@openssh.com', 'KexAlgorithms'],
    ['HostKeyAlgorithms ssh-ed25519', 'HostKeyAlgorithms'],
    ['PubkeyAcceptedAlgorithms -ssh-rsa', 'PubkeyAcceptedAlgorithms'],
    ['RekeyLimit 1G', 'RekeyLimit'],
    ['PasswordAuthentication no', 'PasswordAuthentication'],
    ['BindAddress 127.0.0.2', 'BindAddress'],
    ['SomethingNew yes', 'somethingnew'],
  ])('%s', async (line, name) => {
    const { beyond } = await target(`Host *\n  ${line}\n`, {})
    expect(beyond).toEqual([`${name} (${folder}/config:2)`])
    expect(JSON.stringify(beyond)).not.toContain('hunter2')
  })

  test('of the inventory, without a line; it counts in place of what the configuration says', async () => {
    const { beyond, via } = await target('Host *\n  RevokedHostKeys /a', {
      options: { proxycommand: 'nc %h %p', revokedhostkeys: 'none' },
    })
    expect([beyond, via]).toEqual([['ProxyCommand'], undefined])
  })

  test.each(['exec true', 'localnetwork 10.0.0.0/8', '!host web', 'tagged x'])(
    'a section that only OpenSSH can decide on: Match %s',
    async (criteria) => {
      const { beyond } = await target(`Match ${criteria}\n  ProxyJump a\n`, {})
      expect(beyond).toEqual([`Match ${criteria.split(' ')[0]} (${folder}/config:1)`])
    },
  )

  test.each([
    'RevokedHostKeys none',
    'ProxyCommand none',
    'PasswordAuthentication yes',
    'RekeyLimit default none',
    'ControlMaster auto',
    'GSSAPIAuthentication yes',
    'SendEnv LANG LC_*',
    'Ciphers -3des-cbc',
    'Compression yes',
    'ForwardAgent yes',
  ])('%s asks for nothing that Vestal doesn’t do anyway', async (line) => {
    expect((await target(`Host *\n  ${line}`, {})).beyond).toEqual([])
  })

  test('that Vestal must see its link end can be said by no ssh', async () => {
    await expect(target('Host *\n  ForkAfterAuthentication yes', {})).rejects.toThrow(
      `(${folder}/config:2): ForkAfterAuthentication is not supported: Vestal must see when its link ends`,
    )
  })

  test('algorithms are those that are asked for, as far as Vestal has them', async () => {
    const config =
      'Ciphers aes256-gcm@openssh.com\nMACs -*-etm@openssh.com,hmac-sha1\nKexAlgorithms ^ecdh-sha2-nistp521'
    const { algorithms } = await target(config, {})
    expect(algorithms.ciphers).toEqual(['aes256-gcm@openssh.com'])
    expect(algorithms.macs).toEqual(['hmac-sha2-256', 'hmac-sha2-512'])
    expect(algorithms.kexalgorithms?.slice(0, 2)).toEqual(['ecdh-sha2-nistp521', 'curve25519-sha256@libssh.org'])
  })
})

test('a configuration that the operator names must be there', async () => {
  await expect(readSshConfig(join(folder, 'nowhere'))).rejects.toThrow(
    `${folder}/nowhere cannot be read: it is not there`,
  )
  expect((await readSshConfig('none'))('any')).toEqual({})
})

/** What ssh itself makes of a configuration. */
const settingsOf = (file: string, name: string): Record<string, string[]> => {
  const settings: Record<string, string[]> = {}
  for (const line of execFileSync('ssh', ['-T', '-G', '-F', file, name]).toString().trim().split('\n')) {
    const [key = '', ...value] = line.split(' ')
    settings[key] = [...(settings[key] ?? []), value.join(' ')]
  }
  return settings
}
const atHome = (path: string): string => path.replace(/^~/, '/home/op').replace(homedir(), '/home/op')
