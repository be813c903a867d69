/** Machines unlike the lab's others. Each is deployed to for real, or refused with a sentence before anything is changed. */
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { atConsole } from '../../../lib/lab/host.ts'
import { leftovers } from '../kill/leftovers.ts'
import { testLab } from '../lab-setup.ts'
import { onHost, reportOf, resetHost, vestal } from '../vestal.ts'
import { changedInventory } from './every-deploy.ts'
import { bringShells } from './shells.ts'

const lab = inject('lab')
const { name, address } = lab.hosts.at(-1) ?? { name: '', address: '' }
const CONFIG = '/etc/ssh/sshd_config.d/00-vestal-odd.conf'
const SERVICES = 'prometheus alertmanager node_exporter'

const inventoryWith = (vars: Readonly<Record<string, unknown>>, at = address): string =>
  changedInventory('odd', { address: at, vars })
/** Deploys, and finds nothing left to do, by both ways of SSH unless one is asked for. */
const deploys = async (
  vars: Readonly<Record<string, unknown>>,
  { at, programs = [null, 'ssh'] }: { readonly at?: string; readonly programs?: readonly (string | null)[] } = {},
) => {
  for (const program of programs) {
    const inventory = inventoryWith({ ...vars, ansible_ssh_executable: program }, at)
    const ended = await vestal(['deploy', '-i', inventory, '--json'])
    expect(ended, ended.stdout + ended.stderr).toMatchObject({ code: 0 })
    expect(reportOf(ended).hosts.odd?.['service prometheus']).toMatchObject({ status: 'changed' })
    expect(await vestal(['plan', '-i', inventory, '--exit-code'])).toMatchObject({ code: 0 })
  }
}
const deploysNot = async (vars: Readonly<Record<string, unknown>>) => {
  const ended = await vestal(['deploy', '-i', inventoryWith(vars)])
  expect(ended.code, ended.stdout + ended.stderr).toBe(1)
  return ended.stdout + ended.stderr
}
/** As the lab's own machines have none, this is what all end-to-end tests run on. */
test('a machine without a default route', async () => {
  expect(await onHost(address, 'ip route show default')).toBe('')
  await deploys({}, { programs: [null] })
})

describe('a login shell', () => {
  const HOME = '/home/odd'
  const shellIs = (shell: string, files: Readonly<Record<string, string>> = {}): Promise<string> =>
    onHost(
      address,
      [
        `id odd >/dev/null 2>&1 || useradd --create-home --uid 54321 odd`,
        `usermod --shell ${shell} odd`,
        `find ${HOME} -mindepth 1 -delete`,
        `install -d -m 700 -o odd ${HOME}/.ssh`,
        `cp /root/.ssh/authorized_keys ${HOME}/.ssh/ && chown odd ${HOME}/.ssh/authorized_keys`,
        `echo 'odd ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/odd`,
        ...Object.entries(files).map(([file, text]) => `printf '%s\\n' '${text}' >${HOME}/${file}`),
      ].join(' && '),
    )
  beforeAll(() => bringShells(address, process.env.VESTAL_TEST_OUTSIDE ?? ''))
  afterAll(() => onHost(address, 'userdel -rf odd; rm -f /etc/sudoers.d/odd'))

  test.each([
    ['fish', '/usr/bin/fish', {}],
    ['csh', '/bin/tcsh', { '.cshrc': 'echo Welcome to csh' }],
    ['one that prints much', '/bin/bash', { '.bashrc': 'seq 20000; echo Beware >&2; echo vestal-ready' }],
    ['dash', '/bin/dash', {}],
  ])('that is %s', async (_, shell, files) => {
    await shellIs(shell, files)
    await deploys({ ansible_user: 'odd', ansible_become: true })
  })

  test('that runs nothing is refused with its own words', async () => {
    await shellIs('/usr/sbin/nologin')
    const said = await deploysNot({ ansible_user: 'odd', ansible_become: true })
    expect(said).toContain('This account is currently not available')
    expect(said).toContain('The account needs a login shell that runs commands')
  })
})

describe('an sshd with settings of its own', () => {
  /** For a moment it takes no connection. */
  const RELOAD = 'systemctl reload ssh; sleep 1'
  const set = (lines: readonly string[]): Promise<string> =>
    atConsole(testLab, name, `cat >${CONFIG}; ${RELOAD}`, `${lines.join('\n')}\n`)
  afterEach(() => atConsole(testLab, name, `rm -f ${CONFIG}; ${RELOAD}`))

  test('MaxSessions 1', async () => {
    await set(['MaxSessions 1'])
    await deploys({})
  })

  test('MaxSessions 1 and no forwarding: whatever needs a second session waits', async () => {
    await set(['MaxSessions 1', 'AllowTcpForwarding no'])
    await deploys({})
  })

  test('a ForceCommand that runs what it is asked', async () => {
    await set(['ForceCommand echo logged >>/run/logins; exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"'])
    await deploys({})
    expect(Number(await onHost(address, 'wc -l </run/logins'))).toBeGreaterThan(4)
  })

  test.each([null, 'ssh'])(
    'a ForceCommand that runs something else is refused with a sentence (%s)',
    async (program) => {
      await set(['Match User ops', '  ForceCommand echo Backups only.'])
      const said = await deploysNot({ ansible_user: 'ops', ansible_become: true, ansible_ssh_executable: program })
      expect(said).toContain('Backups only.')
      expect(said).toMatch(/ForceCommand/)
    },
  )
})

describe('a disk', () => {
  test('with a /var on which nothing may be executed', async () => {
    await onHost(address, `systemctl stop ${SERVICES}; mount --bind /var /var && mount -o remount,bind,noexec /var`)
    try {
      await deploys({}, { programs: [null] })
    } finally {
      await onHost(address, 'umount -l /var')
    }
  })

  test('with a /tmp and home folders on which nothing may be executed', async () => {
    await onHost(
      address,
      'for one in /tmp /root /home; do mount --bind $one $one && mount -o remount,bind,noexec $one; done',
    )
    try {
      await deploys({}, { programs: [null] })
    } finally {
      await onHost(address, 'umount -l /tmp /root /home')
    }
  })
})

test('accounts of services that are there already, with other uids, homes and shells', async () => {
  await onHost(
    address,
    `systemctl stop ${SERVICES}
for one in prometheus alertmanager node-exp; do userdel $one 2>/dev/null; groupdel $one 2>/dev/null; done
groupadd -g 61000 monitoring
useradd -u 61001 -g monitoring -d /srv/prometheus -s /bin/bash prometheus
useradd -u 61002 -U -d /nowhere alertmanager
chown -R prometheus: /var/lib/prometheus; chown -R alertmanager: /var/lib/alertmanager`,
  )
  await deploys({}, { programs: [null] })
  expect(
    await onHost(address, 'stat -c %u /var/lib/prometheus; id -u prometheus alertmanager 2>/dev/null | cat'),
  ).toMatch(/^61001\n/)
})

describe('addresses', () => {
  test('a name in place of an address', () => deploys({}, { at: name, programs: [null, 'ssh'] }))

  test('a machine that speaks IPv6 only', async () => {
    const six = 'fd88::1:7'
    const { execFileSync } = process.getBuiltinModule('node:child_process')
    const here = (...words: readonly string[]): void => void execFileSync('ip', [...words])
    here('-6', 'address', 'add', 'fd88::1/64', 'dev', 'br0', 'nodad')
    await atConsole(
      testLab,
      name,
      `ip -6 address add ${six}/64 dev eth0 nodad; ip -4 address flush dev eth0; systemctl stop ${SERVICES}`,
    )
    try {
      const trust = `-o UserKnownHostsFile=${lab.knownHosts} -o HostKeyAlias=${address}`
      await deploys({ ansible_ssh_common_args: trust }, { at: six })
    } finally {
      await atConsole(testLab, name, `ip -4 address add ${address}/24 dev eth0`)
      here('-6', 'address', 'del', 'fd88::1/64', 'dev', 'br0')
    }
  })
})

test('a read-only /usr/local is told, and nothing is left behind; without it the deploy goes on', async () => {
  await resetHost(address)
  await onHost(address, 'mount --bind /usr/local /usr/local && mount -o remount,bind,ro /usr/local')
  try {
    const said = await deploysNot({})
    expect(said).toContain('Read-only file system')
    expect(said).toContain('/usr/local')
    expect(await onHost(address, 'sh -s', leftovers)).toBe('')
  } finally {
    await onHost(address, 'umount -l /usr/local')
  }
  await deploys({}, { programs: [null] })
})
