import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { changeHostKey, freeze, restoreHostKey, thaw } from '../../../lib/lab/faults.ts'
import { accounts } from '../../../lib/lab/places.ts'
import { onHost, reportOf, vestal } from '../vestal.ts'
import { type FleetOptions, fleetOf, inventoryOf, scratch } from './fleet.ts'
import { expectUnharmed, type State, standing, stateOf } from './state.ts'

const fleet = fleetOf(0)
const lab = inject('lab').name
const node = fleet.node.name
let before: State

beforeAll(async () => {
  await standing(fleet)
  before = await stateOf(fleet)
})

/** A change that would restart node_exporter on both machines, and more settings. */
const changed = (more: FleetOptions = {}) =>
  inventoryOf(fleet, { ...more, all: { node_exporter: { log_level: 'warn' }, ...more.all } })
const toNode = async (vars: FleetOptions['node'], words: readonly string[] = [], env = {}) =>
  vestal(['deploy', '-i', changed({ node: vars }), '--limit', 'node', ...words], { env })

interface Fault {
  readonly fault: string
  /** Variables of `node`. */
  readonly vars: FleetOptions['node']
  readonly says: readonly (string | RegExp)[]
}

describe('a machine that does not let the run in is left as it is: exit code 1, and what to do', () => {
  afterEach(async () => expectUnharmed(before, await stateOf(fleet)))

  const nobody = '10.88.0.240'
  const deploy = { ansible_user: accounts.deploy, ansible_become: true }
  const faults: readonly Fault[] = [
    {
      fault: 'nothing listens on its port',
      vars: { ansible_port: 2222 },
      says: [`nothing listens on ${fleet.node.address}:2222`, 'Is sshd running, and is `ansible_port` right?'],
    },
    {
      fault: 'nobody has its address',
      vars: { ansible_host: nobody, ansible_timeout: 2 },
      says: [/10\.88\.0\.240:22 did not answer within 2\.0 s|there is no route to 10\.88\.0\.240/, 'Is the machine up'],
    },
    {
      fault: 'its name is not known',
      vars: { ansible_host: 'nowhere.invalid' },
      says: ['no address is known for nowhere.invalid', 'set `ansible_host` to an address'],
    },
    {
      fault: 'it does not take the key',
      vars: { ansible_user: 'nobody' },
      says: [`nobody@${fleet.node.address}:22 refused the login: tried key`, 'Is this the right user'],
    },
    {
      fault: 'the key is not there',
      vars: { ansible_ssh_private_key_file: '/nonexistent' },
      says: ['the private key /nonexistent is not there', '`ansible_ssh_private_key_file`'],
    },
    {
      fault: 'sudo wants a password and none is given',
      vars: deploy,
      says: ['sudo to root was refused: sudo: a password is required', 'Give `ansible_become_password`'],
    },
    {
      fault: 'the password for sudo is wrong',
      vars: { ...deploy, ansible_become_password: { $env: 'BECOME' } },
      says: ['sudo to root was refused', 'The password was wrong: check `ansible_become_password`.'],
    },
    {
      fault: 'the user to become does not exist',
      vars: { ansible_user: accounts.ops, ansible_become: true, ansible_become_user: 'nemo' },
      says: ['sudo to nemo was refused: sudo: unknown user nemo', 'set `ansible_become_user` to one that exists'],
    },
  ]
  for (const { fault, vars, says } of faults) {
    it(fault, async () => {
      const { code, stdout } = await toNode(vars, [], { BECOME: 'hunter2' })
      for (const words of says)
        expect(stdout).toEqual(
          typeof words === 'string' ? expect.stringContaining(words) : expect.stringMatching(words),
        )
      expect(stdout).not.toContain('hunter2')
      expect(code).toBe(1)
    })
  }

  it('sudo is not for this user', async () => {
    const key = `install -d -o guest -g guest -m 700 /home/guest/.ssh; install -o guest -m 600 /root/.ssh/authorized_keys /home/guest/.ssh`
    await onHost(
      fleet.node.address,
      `useradd --create-home --shell /bin/sh guest; ${key}; echo guest:opensesame | chpasswd`,
    )
    const vars = { ansible_user: 'guest', ansible_become: true, ansible_become_password: { $env: 'BECOME' } }
    const { code, stdout } = await toNode(vars, [], { BECOME: 'opensesame' })
    await onHost(fleet.node.address, 'userdel --remove guest 2>/dev/null')
    expect(stdout).toContain('sudo to root was refused: guest is not in the sudoers file')
    expect(stdout).toContain('Give the account the right to run `sh` as that user in sudoers.')
    expect(code).toBe(1)
  })

  it('its host key has changed, whatever the flags', async () => {
    await changeHostKey(node, lab)
    const { code, stdout } = await toNode({}, ['--accept-new-host-keys'])
    await restoreHostKey(node, lab)
    expect(stdout).toContain(`the host key of ${fleet.node.address} has changed: it shows ssh-ed25519 SHA256:`)
    expect(stdout).toMatch(/and \S+known_hosts:\d+ says otherwise/)
    expect(stdout).toContain('Someone may be listening in, or the machine was made anew.')
    expect(code).toBe(1)
  })

  it('its host key is not known, until new ones are accepted', async () => {
    const known = join(scratch('known'), 'known_hosts')
    writeFileSync(known, '')
    const refused = await toNode({}, ['--known-hosts', known])
    expect(refused.stdout).toContain(`the host key of ${fleet.node.address} is not known: ssh-ed25519 SHA256:`)
    expect(refused.stdout).toContain(`Compare the fingerprint, then use --accept-new-host-keys, or: ssh-keyscan`)
    expect([refused.code, readFileSync(known, 'utf8')]).toEqual([1, ''])

    const plan = (...words: readonly string[]) =>
      vestal(['plan', '-i', inventoryOf(fleet), '--limit', 'node', '--known-hosts', known, ...words])
    expect(await plan('--accept-new-host-keys')).toMatchObject({ code: 0, stdout: 'Nothing to change.\n' })
    expect(readFileSync(known, 'utf8')).toMatch(/^10\.88\.0\.\d+ ssh-ed25519 AAAA/)
    expect(await plan()).toMatchObject({ code: 0 })
  })

  it('it is frozen', async () => {
    await freeze(node, lab)
    try {
      const { code, stdout } = await toNode({ ansible_timeout: 2 })
      expect(stdout).toContain(`${fleet.node.address}:22 did not finish the SSH handshake within 2.0 s`)
      expect(code).toBe(1)
    } finally {
      await thaw(node, lab)
    }
  })
})

describe('a machine that cannot be reached stops what it is part of, and nothing else', () => {
  const changedOn = async (words: FleetOptions) => {
    const ended = await vestal(['deploy', '--json', '-i', changed(words)])
    const report = reportOf(ended)
    return { code: ended.code, monitor: report.hosts.monitor ?? {}, node: report.hosts.node ?? {} }
  }

  it('the others are brought to what the inventory says', async () => {
    const { code, monitor, node } = await changedOn({ monitor: { ansible_port: 2222 } })
    expect(monitor).toEqual({ connect: expect.objectContaining({ status: 'failed' }) })
    expect(node['service node_exporter']).toMatchObject({ status: 'changed' })
    expect(code).toBe(1)
  })

  it('plan, check and status say so too', async () => {
    const words = ['-i', inventoryOf(fleet, { node: { ansible_port: 2222 } }), '--json']
    const why = `nothing listens on ${fleet.node.address}:2222`
    const [plan, check, status] = await Promise.all(['plan', 'check', 'status'].map((one) => vestal([one, ...words])))
    expect([plan?.code, check?.code, status?.code]).toEqual([1, 1, 1])
    expect(JSON.parse(plan?.stdout ?? '')).toMatchObject({ unreachable: { node: why } })
    expect(JSON.parse(check?.stdout ?? '').findings).toContainEqual(
      expect.objectContaining({
        id: 'unreachable',
        hosts: ['node'],
        what: why,
        fix: 'Is sshd running, and is `ansible_port` right?',
      }),
    )
    expect(JSON.parse(status?.stdout ?? '')).toMatchObject({
      instances: expect.arrayContaining([
        { instance: 'node', role: 'node_exporter', healthy: false, failing: [], because: ["node can't be read"] },
      ]),
      hosts: { monitor: { reachable: true, changes: [] }, node: { reachable: false, why } },
      notes: [`node could not be read: ${why}`],
    })
  })

  it('once it is back, the next run does the rest', async () => {
    const { code, monitor, node } = await changedOn({})
    expect(monitor['service node_exporter']).toMatchObject({ status: 'changed' })
    expect(node['service node_exporter']).toMatchObject({ status: 'same' })
    expect(code).toBe(0)
  })
})
