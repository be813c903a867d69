import { expect, test } from 'vitest'
import { failsToStore, refusedItsConfig, seesMembers } from '../../../lib/gates/drilled.ts'
import { Answer, verdict, webServer } from './web-server.ts'

const page = (name: string, value: number) => new Answer(200, `# TYPE ${name} counter\n${name} ${value}\n`)

test('a Prometheus fails to store when its count of failed writes grows, not when it has grown once', async () => {
  const failed = (times: number) => ({ '/metrics': page('prometheus_tsdb_wal_writes_failed_total', times) })
  await using prometheus = await webServer('prom-1', failed(3))
  const gate = failsToStore(prometheus.endpoint)
  const no = { pass: false, why: 'it says that each write to its WAL goes well' }
  expect(await verdict(gate)).toEqual(no)
  expect(await verdict(gate)).toEqual(no)
  prometheus.pages = failed(4)
  expect(await verdict(gate)).toEqual({ pass: true })
})

test('an Alertmanager that reads its configuration has not refused it', async () => {
  const name = 'alertmanager_config_last_reload_successful'
  await using refused = await webServer('am-1', { '/metrics': page(name, 0) })
  expect(await verdict(refusedItsConfig(refused.endpoint))).toEqual({ pass: true })
  await using read = await webServer('am-1', { '/metrics': page(name, 1) })
  expect(await verdict(refusedItsConfig(read.endpoint))).toMatchObject({ pass: false })
})

test('a member that sees more than it is to see is not cut off', async () => {
  const peers = (count: number) => ({
    '/api/v2/status': {
      cluster: {
        name: 'am-1',
        status: 'ready',
        peers: Array.from({ length: count }, (_, at) => ({ name: `am-${at}`, address: `10.0.0.${at + 1}:9094` })),
      },
      config: { original: '' },
      uptime: '2026-01-01T10:00:00Z',
      versionInfo: { version: '0.33.1' },
    },
  })
  await using alone = await webServer('am-1', peers(1))
  expect(await verdict(seesMembers(alone.endpoint, 1))).toEqual({ pass: true })
  await using three = await webServer('am-1', peers(3))
  expect(await verdict(seesMembers(three.endpoint, 1))).toEqual({ pass: false, why: 'it sees 3' })
})
