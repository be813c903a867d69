import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { scopeOf } from '../../../lib/playbook.ts'
import { bytesOf, isSecret } from '../../../lib/secret.ts'
import { alertmanager } from '../../../roles/alertmanager/role.ts'
import { prometheus } from '../../../roles/prometheus/role.ts'
import { shippedRoles } from '../../../roles/registry.ts'

const folder = mkdtempSync(join(tmpdir(), 'vestal-heartbeats-'))
afterAll(() => rmSync(folder, { recursive: true }))

const fleet = (heartbeats: object | undefined, version = '3.5.3') => {
  const vars = {
    prometheus: { version },
    alertmanager: {
      version: '0.33.1',
      config: { route: { receiver: 'ops' }, receivers: [{ name: 'ops' }] },
      ...(heartbeats && { heartbeats }),
    },
  }
  const hosts = (...names: readonly string[]) =>
    Object.fromEntries(
      names.map((name, at) => [name, { ansible_host: `10.0.${name.startsWith('a') ? 1 : 0}.${at + 1}` }]),
    )
  const children = { prometheus: { hosts: hosts('p-1', 'p-2') }, alertmanager: { hosts: hosts('a-1', 'a-2', 'a-3') } }
  writeFileSync(join(folder, 'hosts.yml'), JSON.stringify({ all: { vars, children } }))
  return loadInventory([folder], shippedRoles)
}
const fileOf = async (inventory: Awaited<ReturnType<typeof fleet>>, name: string, path: string) => {
  const host = inventory.hosts.find((one) => one.name === name)
  if (!host) throw new Error(`there is no ${name}`)
  const role = name.startsWith('a') ? alertmanager : prometheus
  const found = role.tasks(scopeOf(role as never, host, inventory) as never).find(({ key }) => key === path)
  if (!found) throw new Error(`nothing is at ${path}`)
  const { content } = found.data as { content: Parameters<typeof bytesOf>[0] }
  return { text: parse(bytesOf(content).toString()), secret: isSecret(content) }
}
const HEARTBEATS = { url: 'https://hc.example/ping/{path}', every: '1m', receivers: ['ops'] }

test('each Prometheus gives each Alertmanager an alert of its own, and nothing else is relabelled', async () => {
  const { text } = await fileOf(await fleet(HEARTBEATS), 'p-2', '/etc/prometheus/prometheus.yml')
  const entries = text.alerting.alertmanagers as {
    static_configs: { targets: string[] }[]
    alert_relabel_configs: { source_labels: string[]; regex: string; target_label: string; replacement: string }[]
  }[]
  expect(
    entries.map((one) => [
      one.static_configs[0]?.targets,
      one.alert_relabel_configs.map(({ target_label, replacement }) => `${target_label}=${replacement}`),
    ]),
  ).toEqual([
    [['10.0.1.1:9093'], ['prometheus=p-2', 'alertmanager=a-1']],
    [['10.0.1.2:9093'], ['prometheus=p-2', 'alertmanager=a-2']],
    [['10.0.1.3:9093'], ['prometheus=p-2', 'alertmanager=a-3']],
  ])
  const steps = entries.flatMap((one) => one.alert_relabel_configs)
  expect(
    steps.every(({ regex, source_labels }) => regex === 'VestalPath' && source_labels.join() === 'alertname'),
  ).toBe(true)
})

test('an Alertmanager has a route and a receiver for each path, in front of all others, and nobody else is told', async () => {
  const { text, secret } = await fileOf(await fleet(HEARTBEATS), 'a-1', '/etc/alertmanager/alertmanager.yml')
  const routes = text.route.routes as { receiver: string; matchers: string[]; routes?: { receiver: string }[] }[]
  const heartbeat = routes.find(({ receiver }) => receiver === 'vestal-path')
  expect(heartbeat?.routes?.map(({ receiver }) => receiver)).toEqual([
    ...['p-1', 'p-2'].flatMap((from) => ['a-1', 'a-2', 'a-3'].map((to) => `vestal-path-${from}-through-${to}`)),
    'ops',
  ])
  const urls = text.receivers.flatMap(({ webhook_configs = [] }: { webhook_configs?: { url: string }[] }) =>
    webhook_configs.map(({ url }) => url),
  )
  expect(urls).toContain('https://hc.example/ping/p-1-through-a-3')
  expect(text.receivers.find(({ name }: { name: string }) => name === 'vestal-path')).toEqual({ name: 'vestal-path' })
  // The URL is as good as a password to who answers there.
  expect(secret).toBe(true)
})

test('without heartbeats nothing of them is there', async () => {
  const inventory = await fleet(undefined)
  const { text } = await fileOf(inventory, 'p-1', '/etc/prometheus/prometheus.yml')
  expect(text.alerting.alertmanagers).toHaveLength(1)
  expect(text.alerting.alertmanagers[0].alert_relabel_configs).toBeUndefined()
  expect(JSON.stringify(await fileOf(inventory, 'a-1', '/etc/alertmanager/alertmanager.yml'))).not.toContain(
    'VestalPath',
  )
})

test.each([
  [
    'a receiver that is none',
    { ...HEARTBEATS, receivers: ['opps'] },
    '3.5.3',
    'no receiver is called "opps"; did you mean `ops`?',
  ],
  ['a URL that all paths share', { url: 'https://hc.example/ping' }, '3.5.3', 'expected {path} in it'],
  ['what is no URL', { url: '{path}' }, '3.5.3', 'expected a URL that begins with http'],
  ['a pace that is too slow for its alert', { ...HEARTBEATS, every: '1h' }, '3.5.3', 'expected from 10s to 10m'],
  [
    'a Prometheus that relabels for all alike',
    HEARTBEATS,
    '2.42.0',
    'cannot send each Alertmanager a heartbeat of its own',
  ],
])('%s is refused', async (_, heartbeats, version, what) => {
  await expect(fleet(heartbeats, version)).rejects.toThrow(what)
})
