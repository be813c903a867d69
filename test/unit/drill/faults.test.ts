import { describe, expect, test } from 'vitest'
import { fitting, isFitting, settingsIn } from '../../../cli/commands/drill/scenarios.ts'
import { drillFleet, leftWithout, shardsWithout } from '../../../fleet/drill/drill-fleet.ts'
import { cutOff, dead, killed, later, powerLost, restarted } from '../../../lib/drill/fault.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
import type { Host } from '../../../lib/model.ts'
import { scenarios } from '../../../playbooks/drills/all.ts'
import { shippedRoles } from '../../../roles/registry.ts'

const inventory = await loadInventory(['inventory/ha'], shippedRoles)
const host = (name: string): Host => {
  const found = inventory.hosts.find((one) => one.name === name)
  if (!found) throw new Error(`there is no ${name}`)
  return found
}
const am = ['am-1', 'am-2', 'am-3'].map(host)

describe('packets', () => {
  const cut = { from: ['10.88.0.14', 'fd00::2'], port: 9094, protocols: ['udp'] } as const

  test('of one port only are dropped, both ways, at both ends of a connection', () => {
    const { harm } = cutOff(host('am-1'), cut, 'cut')
    expect(harm).toContain('ip saddr 10.88.0.14 udp dport 9094 drop')
    expect(harm).toContain('ip daddr 10.88.0.14 udp sport 9094 drop')
    expect(harm).toContain('ip6 saddr fd00::2 udp sport 9094 drop')
    expect(harm).not.toContain('tcp')
  })

  test('of SSH are never dropped, and none of a name', () => {
    expect(() => cutOff(host('am-1'), { ...cut, port: 22 }, 'cut')).toThrow('that of SSH')
    expect(() => cutOff(host('am-1'), { ...cut, from: ['am-2.example'] }, 'cut')).toThrow('am-2.example is a name')
  })
})

describe('what is left of a service', () => {
  test('is nothing where all are taken at once', () => {
    const every = am.map((one) => killed(one, 'alertmanager'))
    expect(leftWithout(every, inventory)).toEqual(['every Alertmanager'])
    const both = [powerLost(host('prom-1')), killed(host('prom-2'), 'prometheus')]
    expect(leftWithout(both, inventory)).toEqual(['every Prometheus of shard 0'])
    const restarts = am.map((one) => restarted(one, 'alertmanager'))
    expect(leftWithout(restarts, inventory)).toEqual(['every Alertmanager'])
  })

  test('is something where one goes on, another service of the machine is meant, or they go in turn', () => {
    const two = am.slice(1).map((one) => killed(one, 'alertmanager'))
    expect(leftWithout(two, inventory)).toEqual([])
    const others = am.map((one) => killed(one, 'node_exporter'))
    expect(leftWithout(others, inventory)).toEqual([])
    const inTurn = am.map((one, at) => later(restarted(one, 'alertmanager'), 20 * at))
    expect(leftWithout(inTurn, inventory)).toEqual([])
  })
})

describe('shards', () => {
  test('of which no Prometheus is left are known, and others are not', async () => {
    const sharded = await loadInventory(['inventory/sharded'], shippedRoles)
    const of = (...names: readonly string[]) =>
      sharded.hosts.filter(({ name }) => names.includes(name)).map((one) => dead(one, 'prometheus'))
    expect(shardsWithout(of('prom-2a', 'prom-2b', 'prom-0a'), sharded)).toEqual(['2'])
    expect(leftWithout(of('prom-2a', 'prom-2b'), sharded)).toEqual(['every Prometheus of shard 2'])
    expect(shardsWithout(of('prom-1a', 'prom-2b'), sharded)).toEqual([])
  })
})

describe('the scenarios that come with Vestal', () => {
  const fleet = drillFleet(inventory)
  const { lab: _, ...real } = fleet
  const set = { to: '0.28.1' }
  const refused = (of: typeof real, force: boolean) =>
    scenarios
      .filter((scenario) => !isFitting(fitting(scenario, { fleet: of, inventory, force, set })))
      .map(({ name }) => name)

  const elsewhere = ['shard-lost', 'query-lost', 'gateway-lost', 'ring-member-lost', 'ring-two-lost']

  test('all fit the example of a highly available fleet in a lab, with --force, or else that of shards or of a ring', async () => {
    expect(refused(fleet, true)).toEqual(elsewhere)
    const others = await Promise.all(
      ['inventory/global', 'inventory/cortex'].map((folder) => loadInventory([folder], shippedRoles)),
    )
    const fit = scenarios.filter((scenario) =>
      others.some((other) =>
        isFitting(fitting(scenario, { fleet: drillFleet(other), inventory: other, force: true, set })),
      ),
    )
    expect(elsewhere.filter((name) => !fit.some((one) => one.name === name))).toEqual([])
  })

  test('that take away the last one of a service want --force, and those for a lab are refused elsewhere', () => {
    expect(refused(fleet, false)).toEqual(['restart-alertmanagers', ...elsewhere])
    expect(refused(real, true)).toEqual([...elsewhere, 'power-loss'])
  })

  test('a roll wants to be told where to, and a setting that no scenario has is refused', () => {
    const roll = scenarios.filter(({ name }) => name === 'roll')
    const [one] = roll
    if (!one) throw new Error('there is no roll')
    expect(fitting(one, { fleet, inventory, force: false })).toMatchObject({ refused: 'it wants --set to=…' })
    expect(settingsIn(['to=0.28.1'], roll)).toEqual({ to: '0.28.1' })
    expect(() => settingsIn(['too=1'], roll)).toThrow('did you mean `to`?')
    expect(() => settingsIn(['to'], roll)).toThrow('expected NAME=VALUE')
  })

  test('allow a second notification freely only where members cannot know of each other, or of what became of the first', () => {
    const freely = scenarios.filter(({ allowed }) => allowed.duplicates === 'freely').map(({ name }) => name)
    expect(freely).toEqual(['partition', 'receiver-fails', 'receiver-slow', 'restart-alertmanagers'])
    const resolve = scenarios.filter(({ allowed }) => allowed.falseResolves === 'rarely').map(({ name }) => name)
    expect(resolve).toEqual(['freeze-long'])
  })

  test('do not fit a fleet that has too little for them, and say what', () => {
    const alone = { ...fleet, alertmanagers: fleet.alertmanagers.slice(0, 1) }
    const [one] = scenarios.filter(({ name }) => name === 'partition')
    if (!one) throw new Error('there is no partition')
    expect(fitting(one, { fleet: alone, inventory, force: false })).toMatchObject({
      refused: expect.stringContaining('it takes 2 Alertmanagers'),
    })
  })

  test('that drop UDP do not fit members that gossip by TCP alone', () => {
    const [one] = scenarios.filter(({ name }) => name === 'partition-udp')
    const alertmanagers = fleet.alertmanagers.map((member) => ({
      ...member,
      ...(member.gossip && { gossip: { ...member.gossip, tls: true } }),
    }))
    if (!one) throw new Error('there is no partition-udp')
    expect(fitting(one, { fleet: { ...fleet, alertmanagers }, inventory, force: true })).toMatchObject({
      refused: expect.stringContaining('TCP alone'),
    })
  })

  test('have names of their own, and each fault a machine of the fleet', () => {
    expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length)
    const held = scenarios
      .map((scenario) => fitting(scenario, { fleet, inventory, force: true, set }))
      .filter(isFitting)
    expect(held.length).toBe(scenarios.length - elsewhere.length)
    for (const { faults } of held) for (const fault of faults) expect(inventory.hosts).toContain(fault.host)
  })
})
