/** A machine that was set up without Vestal is taken over in place: nothing that it knows is lost. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { rolesOf } from '../../../lib/playbook.ts'
import deploy from '../../../playbooks/deploy.ts'
import { allOn } from '../deploy/inventories.ts'
import { onHost, reportOf, resetHost, vestal } from '../vestal.ts'
import { setUpByHand, VERSIONS } from './takeover-machine.ts'

const ADDRESS = '10.88.0.17'
const inventory = allOn('old', {
  address: ADDRESS,
  vars: {
    node_exporter: { version: VERSIONS.node_exporter },
    prometheus: { version: VERSIONS.prometheus, scrape_interval: '1s', evaluation_interval: '1s' },
    alertmanager: {
      version: VERSIONS.alertmanager,
      config: { route: { receiver: 'team' }, receivers: [{ name: 'team' }] },
    },
  },
})

/** The first number that Prometheus answers a query with; NaN without an answer. */
const query = async (expression: string): Promise<number> => {
  const url = `http://${ADDRESS}:9090/api/v1/query?query=${encodeURIComponent(expression)}`
  const { data } = (await (await fetch(url, { signal: AbortSignal.timeout(10_000) })).json()) as {
    data: { result: readonly { value: readonly [number, string] }[] }
  }
  return Number(data.result[0]?.value[1])
}
const samplesBefore = () => query('count_over_time(up{job="by-hand"}[1h])')

let silence = ''
beforeAll(async () => {
  const { hosts } = await loadInventory([inventory], rolesOf(deploy))
  const [old] = hosts
  if (!old) throw new Error('the inventory is empty')
  silence = await setUpByHand(old)
  while (!((await samplesBefore()) >= 2)) await sleep(500)
})

afterAll(() => resetHost(ADDRESS))

test('a deploy takes it over, and its samples and silences are still there', async () => {
  expect(silence).toMatch(/^[0-9a-f-]{36}$/)
  const { code, stdout, stderr } = await vestal(['deploy', '-i', inventory])
  expect({ code, said: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, said: '' })
  expect(await samplesBefore()).toBeGreaterThanOrEqual(2)
  const silences = await onHost(ADDRESS, 'amtool --alertmanager.url=http://127.0.0.1:9093 silence query -q')
  expect(silences.trim()).toBe(silence)
})

test('what people look for is where it was, and runs from the version’s own folder', async () => {
  const paths = ['prometheus', 'promtool', 'alertmanager', 'amtool', 'node_exporter'].map(
    (name) => `/usr/local/bin/${name}`,
  )
  const real = (await onHost(ADDRESS, `realpath ${paths.join(' ')}`)).trim().split('\n')
  expect(real).toEqual([
    `/opt/vestal/prometheus/${VERSIONS.prometheus}/prometheus`,
    `/opt/vestal/prometheus/${VERSIONS.prometheus}/promtool`,
    `/opt/vestal/alertmanager/${VERSIONS.alertmanager}/alertmanager`,
    `/opt/vestal/alertmanager/${VERSIONS.alertmanager}/amtool`,
    `/opt/vestal/node_exporter/${VERSIONS.node_exporter}/node_exporter`,
  ])
})

test('the rules it had are out of force and in the backup', async () => {
  expect(await onHost(ADDRESS, 'ls /etc/prometheus/rules')).not.toContain('ansible_managed')
  expect(await onHost(ADDRESS, 'find /var/lib/vestal/backups -name ansible_managed.yml')).toContain(
    'ansible_managed.yml',
  )
})

test('a second deploy changes nothing', async () => {
  const { hosts } = reportOf(await vestal(['deploy', '-i', inventory, '--json']))
  expect(new Set(Object.values(hosts.old ?? {}).map(({ status }) => status))).toEqual(new Set(['same']))
})
