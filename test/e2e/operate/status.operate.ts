/** `status` tells one trouble from another. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Finding } from '../../../lib/health/finding.ts'
import type { FleetStatus } from '../../../lib/health/types.ts'
import { ADDRESSES, deploy } from '../deploy/fleet.ts'
import { haWith } from '../deploy/inventories.ts'
import { onHost, vestal } from '../vestal.ts'
import { partitions } from './check-faults.ts'

const HA = 'inventory/ha'
const status = async (...words: readonly string[]): Promise<{ code: number | null; look: FleetStatus }> => {
  const { code, stdout } = await vestal(['status', '-i', HA, '--json', ...words])
  return { code, look: JSON.parse(stdout) }
}
const notes = async () => (await status()).look.notes
const row = ({ instances }: FleetStatus, instance: string, role: string) =>
  instances.find((one) => one.instance === instance && one.role === role)
const patience = { timeout: 180_000, interval: 1_000 }

beforeAll(async () => {
  await deploy('-i', HA)
})
afterAll(async () => {
  await deploy('-i', HA)
})

it('a stopped replica is stopped, and nothing else is unhealthy', async () => {
  await onHost(ADDRESSES['prom-2'], 'systemctl stop prometheus')
  try {
    const { code, look } = await status()
    expect(code).toBe(1)
    expect(look.instances.filter(({ healthy }) => !healthy).map(({ instance, role }) => `${instance} ${role}`)).toEqual(
      ['prom-2 prometheus'],
    )
    expect(row(look, 'prom-2', 'prometheus')).toMatchObject({ service: 'stopped', version: { disk: '3.5.3' } })
  } finally {
    await onHost(ADDRESSES['prom-2'], 'systemctl start prometheus')
  }
})

it('one missing member is no split cluster, and one line', async () => {
  await onHost(ADDRESSES['am-2'], 'systemctl stop alertmanager')
  const lines = async () => {
    const { stdout } = await vestal(['status', '-i', HA])
    return stdout.split('\n').filter((line) => /^(unhealthy|note) /.test(line))
  }
  try {
    await expect
      .poll(lines, patience)
      .toEqual(['unhealthy am-2 alertmanager: its service is stopped; am-1, am-3 miss it'])
  } finally {
    await onHost(ADDRESSES['am-2'], 'systemctl start alertmanager')
  }
})

it('a split cluster is one, with who is on which side; check finds the partitions too', async () => {
  await partitions.plant()
  try {
    await expect.poll(notes, patience).toEqual([expect.stringContaining('split into 2 partitions: am-2 + am-3 | am-1')])
    const { stdout } = await vestal(['check', '-i', HA, '--json', '--limit', 'alertmanager'])
    const found = (JSON.parse(stdout).findings as readonly Finding[]).map(({ id }) => id)
    expect(found).toEqual(expect.arrayContaining(['gossip-partition', 'gossip-tcp', 'gossip-udp']))
  } finally {
    await partitions.undo()
  }
  await expect.poll(notes, patience).toEqual([])
})

it('a file that somebody changed is drift, in its row', async () => {
  await onHost(ADDRESSES['prom-1'], 'echo "# by hand" >>/etc/prometheus/prometheus.yml')
  const { look } = await status('--limit', 'prom-1')
  expect(row(look, 'prom-1', 'prometheus')).toMatchObject({ drift: 2, config: { inForce: false } })
  expect(row(look, 'prom-1', 'node_exporter')).toMatchObject({ drift: 0, healthy: true })
  await deploy('-i', HA, '--limit', 'prom-1')
})

it('a process that still runs what is no longer on disk is stale', async () => {
  const current = '/opt/vestal/node_exporter/current'
  await onHost(ADDRESSES['node-1'], `ln -sfn /opt/vestal/node_exporter/1.9.0 ${current}`)
  const { look } = await status('--limit', 'node-1')
  expect(row(look, 'node-1', 'node_exporter')?.version).toEqual({ running: '1.11.1', disk: '1.9.0' })
  expect(look.notes).toEqual(['node_exporter on node-1 is a stale process: it runs 1.11.1, 1.9.0 is on disk'])
  await deploy('-i', HA, '--limit', 'node-1')
})

it('versions that are mixed, as in the middle of a roll, are seen as such', async () => {
  await deploy('-i', haWith({ all: { node_exporter: { version: '1.9.0' } } }), '--limit', 'node-1')
  expect(await notes()).toEqual([
    'node_exporter runs in 2 versions, as in the middle of a roll: 1.11.1 on prom-1, prom-2, am-1, am-2, am-3; 1.9.0 on node-1',
  ])
})
