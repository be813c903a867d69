import { expect, test } from 'vitest'
import type { FleetStatus, InstanceStatus } from '../../../lib/health/types.ts'
import { spanText, statusText } from '../../../lib/report/status.ts'

const instance = (more: Partial<InstanceStatus>): InstanceStatus => ({
  instance: 'am-1',
  role: 'alertmanager',
  healthy: true,
  failing: [],
  service: 'running',
  version: { running: '0.33.1', disk: '0.33.1' },
  config: { inForce: true },
  uptimeSeconds: 90,
  drift: 0,
  ...more,
})
const shown = (instances: readonly InstanceStatus[], more: Partial<FleetStatus> = {}): readonly string[] => {
  const healthy = instances.every((one) => one.healthy)
  const fleet: FleetStatus = { vestal: 'status/1', inventory: 'ha', at: '', healthy, instances, hosts: {}, notes: [] }
  return statusText({ ...fleet, ...more }).split('\n')
}

test('a healthy instance is one row; columns that nobody has are left out', () => {
  expect(shown([instance({})])).toEqual([
    'instance  role          version  state    config    uptime  drift',
    'am-1      alertmanager  0.33.1   healthy  in force  1m      0',
    'The instance is healthy.',
  ])
})

test('who is unhealthy, why, and what only the whole fleet shows', () => {
  const members = { self: 'a', seen: ['a'], expected: ['a', 'b'] }
  const lines = shown([instance({ healthy: false, failing: ['gossip: does not see b'], members })], {
    notes: ['the cluster is split'],
  })
  expect(lines[1]).toMatch(/ unhealthy +1\/2 /)
  expect(lines.slice(2)).toEqual([
    'unhealthy am-1 alertmanager: gossip: does not see b',
    'note the cluster is split',
    '1 of 1 instance unhealthy.',
  ])
})

test('what follows from one cause is said with it, once', () => {
  const stopped = instance({
    instance: 'am-2',
    healthy: false,
    service: 'stopped',
    failing: ['its service is stopped'],
  })
  const because = ['am-2 alertmanager']
  const rest = ['am-1', 'am-3'].map((name) => instance({ instance: name, healthy: false, because }))
  expect(shown([stopped, ...rest]).slice(4)).toEqual([
    'unhealthy am-2 alertmanager: its service is stopped; am-1, am-3 miss it',
    '3 of 3 instances unhealthy.',
  ])
})

test.each([
  ['a stopped service', { service: 'stopped' }, / stopped /],
  ['a host that could not be read', { service: undefined, version: undefined, drift: undefined }, / unreachable .*\?$/],
  ['a WAL that is replayed', { ready: false, replay: '3 of 12' }, / starting .*3 of 12/],
  [
    'a process of another version than the disk',
    { version: { running: '0.25.0', disk: '0.33.1' } },
    /0\.25\.0 \(disk 0\.33\.1\)/,
  ],
  ['a version that is not running', { service: 'stopped', version: { disk: '0.33.1' } }, /\(disk 0\.33\.1\)/],
  ['a config that is not in force', { config: { inForce: false, why: 'differs: /etc/a' } }, / differs /],
])('%s is seen in its row', (_, more, row) => {
  expect(shown([instance({ healthy: false, failing: ['x'], ...more })])[1]).toMatch(row)
})

test.each([
  [59, '59s'],
  [61, '1m'],
  [3 * 3_600 + 120, '3h2m'],
  [49 * 3_600, '2d1h'],
])('%i seconds are %s', (seconds, text) => {
  expect(spanText(seconds)).toBe(text)
})
