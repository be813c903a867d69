/** What is restarted, and what is reloaded, when the fleet is to trust another authority: those that would not read it by themselves, and nobody else. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { trustReadAgain } from '../../../cli/commands/certificates/trust-read.ts'
import { makeAuthority } from '../../../lib/certificates/authority.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
import type { ServiceData } from '../../../lib/kinds/service.ts'
import type { Task } from '../../../lib/model.ts'
import { rolesOn, scopeOf } from '../../../lib/playbook.ts'
import { deployOf } from '../../../playbooks/deploy.ts'
import { shippedRoles } from '../../../roles/registry.ts'
import { DAY_MS, place } from '../certificates/authorities.ts'
import { hostsFile } from '../roles/fleet.ts'

const at = place()
beforeAll(async () => void (await makeAuthority(at, { ms: 100 * DAY_MS, env: at.env })))
afterAll(() => at[Symbol.dispose]())

const HOSTS = {
  prometheus: { 'prom-1': { ansible_host: '10.0.0.1' } },
  thanos_sidecar: { 'prom-1': {} },
  thanos_query: { 'q-1': { ansible_host: '10.0.0.2' } },
  thanos_rule: { 'q-1': {} },
  alertmanager: { 'am-1': { ansible_host: '10.0.0.3' }, 'am-2': { ansible_host: '10.0.0.4' } },
  cortex_alertmanager: { 'c-1': { ansible_host: '10.0.0.6' }, 'c-2': { ansible_host: '10.0.0.7' } },
  gateway: { 'gw-1': { ansible_host: '10.0.0.5' } },
  node_exporter: { 'prom-1': {}, 'am-1': {} },
}

/** The tasks of a renewal that are about services, by host. */
const services = async (tls: unknown): Promise<Readonly<Record<string, readonly string[]>>> => {
  const thanos = { version: '0.42.4' }
  const vars = {
    prometheus: { version: '3.5.3' },
    alertmanager: { version: '0.33.1', config: { route: { receiver: 'none' }, receivers: [{ name: 'none' }] } },
    cortex_alertmanager: { version: '1.21.1', storage: { backend: 'filesystem', dir: '/srv/ring' } },
    ...{ thanos_sidecar: thanos, thanos_query: thanos, thanos_rule: thanos, gateway: {} },
    tls,
  }
  writeFileSync(join(at.folder, 'hosts.yml'), hostsFile(HOSTS, vars))
  const inventory = await loadInventory([at.folder], shippedRoles)
  const book = trustReadAgain(deployOf(inventory.roles))
  const of = (host: (typeof inventory.hosts)[number]): readonly string[] => {
    const tasks = book.plays
      .filter((play) => play.hosts(host))
      .flatMap((play) => rolesOn(host, play.roles).flatMap((role) => role.tasks(scopeOf(role, host, inventory))))
      .filter((task) => task.kind.name === 'service' && task.tags?.includes('certificates'))
    return [...new Set(tasks.map(said))]
  }
  return Object.fromEntries(inventory.hosts.map((host) => [host.name, of(host)]))
}
const said = ({ key, desired, data }: Task): string => {
  const { starts, loads } = data as ServiceData
  const watched = [...starts, ...loads].map(({ path }) => path)
  expect(new Set(watched)).toEqual(new Set(['/etc/vestal/authority.crt']))
  return `${key}: ${Object.keys(desired ?? {}).join(', ')}`
}

test('with TLS of web servers: what asks others and is no Prometheus, and what wants certificates of those who ask', async () => {
  expect(await services({ plain: ['gateway'] })).toEqual({
    'prom-1': ['thanos-sidecar: started'],
    'q-1': [
      ...['thanos-rule-shard-0: started', 'thanos-rule-query: started', 'thanos-rule: started'],
      ...['thanos-query-relay: loaded', 'thanos-query: started'],
    ],
    'am-1': [],
    'am-2': [],
    'c-1': [],
    'c-2': [],
    'gw-1': ['gateway: loaded'],
  })
})

test('with TLS of gossip: its members too', async () => {
  const found = await services({ plain: ['gateway'], gossip: true })
  expect([found['am-1'], found['am-2']]).toEqual([['alertmanager: started'], ['alertmanager: started']])
  expect([found['c-1'], found['c-2']]).toEqual([['cortex-alertmanager: started'], ['cortex-alertmanager: started']])
})
