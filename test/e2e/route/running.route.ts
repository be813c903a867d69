/** Inhibition and grouping beside what a running Alertmanager says, and a configuration of 20,000 teams. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { rolesOf } from '../../../lib/playbook.ts'
import { answerTo } from '../../../lib/routing/cases.ts'
import type { RouteConfig } from '../../../lib/routing/generate.ts'
import type { Labels } from '../../../lib/routing/matcher.ts'
import deployBook from '../../../playbooks/deploy.ts'
import { alertmanager } from '../../../roles/alertmanager/role.ts'
import { teamRouting } from '../../../roles/alertmanager/teams.ts'
import { ADDRESSES, ALERTMANAGERS, ask, deploy, hostsOf, REPLICAS } from '../deploy/fleet.ts'
import { inventoryOf } from '../deploy/inventories.ts'
import { versionsOf } from '../roles/binaries.ts'
import { resetHost, vestal } from '../vestal.ts'
import { OWN_CONFIG, randomAlert, randomFrom, randomTeams } from './random-teams.ts'

const ADDRESS = '10.88.0.15'
const URL = `http://${ADDRESS}:9093/api/v2`
const TEAMS = 20
const ALERTS = 250

const lonely = (version: string, teams: unknown): string =>
  inventoryOf({
    'hosts.yml': { all: { children: { alertmanager: { hosts: { 'am-1': { ansible_host: ADDRESS } } } } } },
    'group_vars/all/am.yml': { node_exporter: { version: '1.11.1' }, alertmanager: { version, config: OWN_CONFIG } },
    'teams/all.yml': teams as Record<string, unknown>,
  })
const get = async <T>(path: string): Promise<T> => (await (await fetch(URL + path)).json()) as T

describe.each(versionsOf('alertmanager').map((version) => [version] as const))('Alertmanager %s', (version) => {
  const random = randomFrom(Number(version.replaceAll('.', '')))
  const folder = lonely(version, randomTeams(random, TEAMS))
  const routing = async () => {
    const inventory = await loadInventory([folder], rolesOf(deployBook))
    const [host] = inventory.hosts
    if (!host) throw new Error('no host')
    return teamRouting(inventory, host, alertmanager.varsOf(host))
  }

  beforeAll(async () => {
    await resetHost(ADDRESS)
    await deploy('-i', folder)
  }, 300_000)

  test(`groups and inhibits ${ALERTS} random alerts as Vestal says`, async () => {
    const made = await routing()
    const labels = (alert: Labels): Labels => answerTo(made, { alert }).labels
    const alerts = [
      ...new Map(
        Array.from({ length: ALERTS }, (_, at) => labels({ ...randomAlert(random, TEAMS), instance: `i-${at}` })).map(
          (one) => [JSON.stringify(one), one],
        ),
      ).values(),
    ]
    const sent = await fetch(`${URL}/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(alerts.map((one) => ({ labels: one }))),
    })
    expect(sent.status).toBe(200)
    await expect.poll(async () => (await get<unknown[]>('/alerts')).length, { timeout: 30_000 }).toBe(alerts.length)

    interface Held {
      readonly labels: Labels
      readonly status: { readonly inhibitedBy: readonly string[] }
      readonly receivers: readonly { readonly name: string }[]
    }
    const held = await get<readonly Held[]>('/alerts')
    const said = held.map((one) => ({
      labels: one.labels,
      inhibited: one.status.inhibitedBy.length > 0,
      receivers: one.receivers.map(({ name }) => name).sort(),
    }))
    const ours = held.map((one) => ({
      labels: one.labels,
      inhibited: made.router.inhibited(one.labels, alerts),
      receivers: made.router
        .route(one.labels)
        .map(({ receiver }) => receiver)
        .sort(),
    }))
    expect(said).toEqual(ours)
    expect(said.filter(({ inhibited }) => inhibited).length).toBeGreaterThan(10)

    interface Group {
      readonly labels: Labels
      readonly receiver: { readonly name: string }
      readonly alerts: readonly Held[]
    }
    const groupsSaid = (await get<readonly Group[]>('/alerts/groups')).flatMap((group) =>
      group.alerts.map((one) => groupKey(one.labels, group.receiver.name, group.labels)),
    )
    const groupsOurs = alerts.flatMap((one) =>
      made.router
        .route(one)
        .map(({ receiver, groupBy }) =>
          groupKey(one, receiver, Object.fromEntries(Object.entries(one).filter(([name]) => groupBy.includes(name)))),
        ),
    )
    expect([...new Set(groupsSaid)].sort()).toEqual([...new Set(groupsOurs)].sort())
  })
})

const sorted = (labels: Labels): string => JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
const groupKey = (alert: Labels, receiver: string, group: Labels): string =>
  `${sorted(alert)} ${receiver} ${sorted(group)}`

describe('20,000 teams', () => {
  const many = Object.fromEntries(
    Array.from({ length: 20_000 }, (_, at) => [
      `team-${at}`,
      {
        owns: [{ namespace: `ns-${at}` }],
        receivers: { hook: { webhook_configs: [{ url: `http://10.88.0.1:9095/${at}` }] } },
      },
    ]),
  )
  const folder = inventoryOf({
    'hosts.yml': {
      all: { children: { alertmanager: { hosts: hostsOf(ALERTMANAGERS) }, prometheus: { hosts: hostsOf(REPLICAS) } } },
    },
    'group_vars/all/versions.yml': {
      node_exporter: { version: '1.11.1' },
      alertmanager: { version: '0.33.1', config: OWN_CONFIG },
      prometheus: { version: '3.5.3', cluster: 'lab' },
    },
    'teams/all.yml': many,
  })

  test('are generated, checked and planned for a fleet within 10 s and 1 GiB, no deeper than one is, and all members load them', async () => {
    const [inventory] = [await loadInventory([folder], rolesOf(deployBook))]
    const [host] = inventory.hosts
    if (!host) throw new Error('no host')
    const depth = ({ routes = [] }: RouteConfig): number => 1 + Math.max(0, ...routes.map(depth))
    expect(depth(teamRouting(inventory, host, alertmanager.varsOf(host)).config.route as RouteConfig)).toBe(
      1 + Math.max(...[OWN_CONFIG.route.routes].flat().map((one) => depth(one as RouteConfig))),
    )
    const measured = join(folder, 'teams', '.measured')
    const probe = join(folder, 'teams', 'measure.mjs')
    writeFileSync(
      probe,
      `import { writeFileSync } from 'node:fs'
process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  const used = { seconds: (userCPUTime + systemCPUTime) / 1e6, mebibytes: maxRSS / 1024 }
  writeFileSync(${JSON.stringify(measured)}, JSON.stringify(used))
})`,
    )
    const started = Date.now()
    const { code, stderr } = await vestal(['plan', '-i', folder], { env: { NODE_OPTIONS: `--import ${probe}` } })
    // Processor time: what it takes on a machine that does nothing else.
    const { seconds, mebibytes } = JSON.parse(readFileSync(measured, 'utf8'))
    const wall = (Date.now() - started) / 1000
    console.log(
      `20,000 teams planned in ${wall.toFixed(1)} s (processor ${seconds.toFixed(1)} s), ${mebibytes.toFixed(0)} MiB`,
    )
    expect([code, stderr]).toEqual([0, ''])
    expect(seconds).toBeLessThan(10)
    expect(mebibytes).toBeLessThan(1024)
    await Promise.all([...ALERTMANAGERS, ...REPLICAS].map((name) => resetHost(ADDRESSES[name])))
    await deploy('-i', folder)
    for (const name of ALERTMANAGERS) {
      const { config } = await ask<{ config: { original: string } }>(name, 9093, '/api/v2/status')
      expect(config.original.match(/receiver: team-/g)?.length).toBe(20_000)
    }
    for (const name of REPLICAS) {
      const { data } = await ask<{ data: { yaml: string } }>(name, 9090, '/api/v1/status/config')
      expect(data.yaml.match(/replacement: team-/g)?.length).toBe(20_000)
    }
  }, 600_000)
})
