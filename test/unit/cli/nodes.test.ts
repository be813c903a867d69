import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import addNodeCommand from '../../../cli/commands/add-node.ts'
import removeNodeCommand from '../../../cli/commands/remove-node.ts'
import replaceNodeCommand from '../../../cli/commands/replace-node.ts'
import { InputError } from '../../../lib/errors.ts'
import { addNode } from '../../../playbooks/add-node.ts'
import { removeNode } from '../../../playbooks/remove-node.ts'
import { replaceNode } from '../../../playbooks/replace-node.ts'
import { shippedRoles } from '../../../roles/registry.ts'
import { fleet, hostsFile } from '../roles/fleet.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vestal-nodes-'))
  for (const name of ['ha', 'single-site'])
    cpSync(join(import.meta.dirname, '../../../inventory', name), join(folder, name), { recursive: true })
})
afterEach(() => rmSync(folder, { recursive: true }))

const common = (inventory: string) => ({
  inventory: [join(folder, inventory)],
  forks: 1,
  json: true,
  verbose: false,
  acceptNewHostKeys: false,
  diff: false,
  yes: true,
  breakLock: [],
  watchAlerts: false,
  silence: [],
})
const refusal = async (command: Promise<number>): Promise<string> => {
  try {
    return `code ${await command}`
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    return error.message.replaceAll(folder, '~')
  }
}
const add = (name: string, more: object) =>
  refusal(
    addNodeCommand.run(
      {
        ...common('ha'),
        name,
        host: '10.88.0.17',
        role: ['alertmanager'],
        group: [],
        vars: [],
        ...more,
      },
      addNode,
    ),
  )
const remove = (inventory: string, name: string, more: object = {}) =>
  refusal(removeNodeCommand.run({ ...common(inventory), name, dead: false, force: false, ...more }, removeNode))

describe('before any machine is touched', () => {
  test('a name that another machine has is refused, with the place where that is written', async () => {
    expect(await add('am-3', {})).toBe(
      '~/ha/hosts.yml:13:17: ansible_host: am-3 is in the inventory already, with another value\n  choose another name, or give what stands there',
    )
  })
  test('an address that another machine has is refused', async () => {
    expect(await add('am-4', { host: '10.88.0.15' })).toContain('am-4 is the same machine as am-3: 10.88.0.15, port 22')
  })
  test('an instance beside another host of its machine is refused what both would have, and what a machine has one of', async () => {
    const words = await add('prom-3', { host: '10.88.0.11', role: ['prometheus'], instance: 'b' })
    for (const says of [
      'prom-3 is instance b of its machine, and has node_exporter, of which there is one on a machine',
      'prometheus of prom-3 and prometheus of prom-1 (~/ha/hosts.yml:7:9) are on one machine, and both would have tcp port 9090',
      'prom-3 and prom-1 are replicas of shard 0 on one machine',
    ])
      expect(words).toContain(says)
    const known = await add('prom-1', { host: '10.88.0.11', role: ['prometheus'], instance: 'b' })
    expect(known).toContain('vestal: prom-1 is in the inventory already, with another value')
  })
  test('a group that is not there and a variable that is no YAML are refused', async () => {
    expect(await add('am-4', { group: ['shard_b'] })).toContain('there is no group `shard_b`')
    expect(await add('am-4', { vars: ['prometheus.shard=1'] })).toContain('expected NAME=YAML')
  })
  test('a shard that has no group is refused, with what to write', async () => {
    expect(await add('am-4', { shard: 3 })).toContain(
      '--shard: there is no group `shard_3`\n  Write `shard_3:` below `children:` of prometheus',
    )
  })
  test('a variable of the new machine is checked as the whole inventory is', async () => {
    expect(await add('am-4', { vars: ['alertmanager={version: 1}'] })).toContain(
      'hosts.yml:14:68: alertmanager.version: expected a version such as 3.5.3, got 1',
    )
  })
  test.each([
    ['ha', 'am-3', {}, 'am-3: would leave two Alertmanagers'],
    ['single-site', 'monitor', { role: ['alertmanager'] }, 'monitor: is the last Alertmanager'],
    ['single-site', 'monitor', { role: ['prometheus'] }, 'monitor: is the last Prometheus of shard 0'],
    [
      'ha',
      'am-1',
      { role: ['alertmanager'], force: true },
      'am-1: without alertmanager it would lose node_exporter too',
    ],
  ])('too few are never left: of %s, %s %j', async (inventory, name, more, says) => {
    expect(await remove(inventory, name, more)).toContain(says)
  })
  test('a machine that is not in the inventory needs no removal', async () => {
    expect(await remove('ha', 'am-9')).toBe('code 0')
  })
  test('only a machine that there is can be replaced, and not by one that there is', async () => {
    const replace = (old: string, name: string) =>
      refusal(replaceNodeCommand.run({ ...common('ha'), old, new: name, host: '10.88.0.17' }, replaceNode))
    expect(await replace('am-9', 'am-4')).toContain('am-9: no host is called that')
    expect(await replace('am-3', 'am-2')).toContain('am-2: am-2 is in the inventory already')
  })
  test('what is refused leaves the inventory as it was', async () => {
    await add('am-4', { host: '10.88.0.15' })
    await remove('ha', 'am-3')
    const text = (root: string) => readFileSync(join(root, 'ha/hosts.yml'), 'utf8')
    expect(text(folder)).toBe(text(join(import.meta.dirname, '../../../inventory')))
  })
})

describe('the order in which machines come and go', () => {
  test('what stands beside a new Prometheus comes with it in one play, as it is asked whether its Prometheus answers', async () => {
    using of = await fleet({
      'hosts.yml': hostsFile(
        {
          prometheus: { p: { ansible_host: '10.0.0.1' } },
          thanos_sidecar: { p: {} },
          alertmanager: { a: { ansible_host: '10.0.0.2' } },
        },
        {
          prometheus: { version: '3.5.3' },
          thanos_sidecar: { version: '0.42.4' },
          alertmanager: { version: '0.33.1', config: { route: { receiver: 'r' }, receivers: [{ name: 'r' }] } },
        },
      ),
    })
    const { plays } = addNode(shippedRoles, ['p', 'a'])
    const named = (name: string) => plays.find((play) => play.name === name)
    const hosts = (name: string) =>
      of.inventory.hosts.filter((host) => named(name)?.hosts(host)).map((host) => host.name)
    expect(hosts('What every machine has, on the new one')).toEqual(['a'])
    expect(hosts('The new Prometheus starts')).toEqual(['p'])
    const together = named('The new Prometheus starts')?.roles.map((role) => role.name) ?? []
    for (const name of ['base', 'node_exporter', 'thanos-sidecar', 'prometheus']) expect(together).toContain(name)
  })

  test('Prometheus is told of an Alertmanager after the others are, and forgets it before it stops', () => {
    const names = (plays: readonly { name: string }[]) => plays.map(({ name }) => name)
    expect(names(addNode(shippedRoles, ['x']).plays)).toEqual([
      'What every machine has, on the new one',
      'The new Alertmanager joins the cluster',
      'Alertmanagers learn of it, one at a time',
      'No member is missed',
      'Who has left is taken out of the ring',
      'The new Cortex Alertmanager joins the ring',
      'Cortex Alertmanagers learn of it, one at a time',
      'No instance is missed, and every tenant has its replicas',
      'The new Prometheus starts',
      'Every Prometheus learns of it',
      'The new Prometheus agent starts',
      'Prometheus agents learn of it',
      'The new Thanos Rule starts',
      'Thanos Rules learn of it, one at a time',
      'The new Thanos Query starts',
      'Thanos Queries learn of it, one at a time',
      'The new gateway starts',
      'Gateways learn of it, one at a time',
      'The new Alertmanager holds what the others hold',
      'The new Cortex Alertmanager has its part of the tenants',
      'Other machines',
    ])
    expect(names(removeNode(shippedRoles, { roles: [] }).plays)).toEqual([
      'Every Prometheus forgets it',
      'Prometheus agents forget it',
      'Thanos Rules forget it, one at a time',
      'Thanos Queries forget it, one at a time',
      'Gateways forget it, one at a time',
      'Its services stop',
      'Alertmanagers forget it, one at a time',
      'No member is missed',
      'Who has left is taken out of the ring',
      'Cortex Alertmanagers forget it, one at a time',
      'No instance is missed, and every tenant has its replicas',
      'Other machines',
    ])
    for (const book of [
      addNode(shippedRoles, ['x']),
      removeNode(shippedRoles, { roles: [] }),
      replaceNode(shippedRoles, ['x']),
    ])
      expect(book.onFailure).toBe('stop')
  })
})
