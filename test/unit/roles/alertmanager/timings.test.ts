import { expect, test } from 'vitest'
import { milliseconds } from '../../../../lib/duration.ts'
import type { Duration } from '../../../../lib/model.ts'
import { gossipInterval, settlesMs } from '../../../../roles/alertmanager/timings.ts'
import { alertmanagerVars } from '../../../../roles/alertmanager/vars.ts'

const cluster = (set: object) =>
  alertmanagerVars.parse({
    version: '0.33.1',
    config: { route: { receiver: 'a' }, receivers: [{ name: 'a' }] },
    cluster: set,
  }).cluster

test.each([
  ['15s', '200ms'],
  ['1m', '200ms'],
  ['5s', '66ms'],
  ['2s', '26ms'],
  ['100ms', '10ms'],
])('with a peer_timeout of %s news is sent every %s', (peer_timeout, interval) => {
  expect(gossipInterval(cluster({ peer_timeout }))).toBe(interval)
})

test.each<Duration>(['1s', '2s', '5s', '15s', '30s', '2m'])(
  'with a peer_timeout of %s a member settles well before the next one has waited for it',
  (peer_timeout) => {
    expect(settlesMs(cluster({ peer_timeout }))).toBeLessThanOrEqual((milliseconds(peer_timeout) * 2) / 3)
  },
)

test('a member never waits longer for the others than settle_timeout', () => {
  expect(settlesMs(cluster({ gossip_interval: '1s' }))).toBe(50_000)
  expect(settlesMs(cluster({ gossip_interval: '1s', settle_timeout: '3s' }))).toBe(3_000)
})
