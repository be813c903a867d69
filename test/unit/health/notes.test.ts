import { expect, test } from 'vitest'
import { notesOf as notes } from '../../../lib/health/notes.ts'
import { partitionsOf } from '../../../lib/health/partitions.ts'
import type { HostStatus, InstanceStatus } from '../../../lib/health/types.ts'
import type { Facts } from '../../../lib/model.ts'
import { alertmanager } from '../../../roles/alertmanager/role.ts'

const notesOf = (...[instances, hosts]: [readonly InstanceStatus[], Readonly<Record<string, HostStatus>>]) =>
  notes(instances, hosts, [alertmanager])

const ADDRESSES = { 'am-1': '10.0.0.1:9094', 'am-2': '10.0.0.2:9094', 'am-3': '10.0.0.3:9094' } as const
type Name = keyof typeof ADDRESSES
const expected = Object.values(ADDRESSES)

const member = (name: Name, sees: readonly Name[], more: Partial<InstanceStatus> = {}): InstanceStatus => ({
  instance: name,
  role: 'alertmanager',
  healthy: true,
  failing: [],
  members: { self: ADDRESSES[name], seen: sees.map((one) => ADDRESSES[one]), expected },
  ...more,
})
const down = (name: Name): InstanceStatus => ({
  instance: name,
  role: 'alertmanager',
  healthy: false,
  failing: ['stopped'],
})
const facts = { lock: null } as Facts
const up = (lock: Facts['lock'] = null): HostStatus => ({ reachable: true, changes: [], facts: { ...facts, lock } })

test('a whole fleet gives no note', () => {
  const all: readonly Name[] = ['am-1', 'am-2', 'am-3']
  const members = all.map((name) => member(name, all, { version: { running: '0.33.1', disk: '0.33.1' } }))
  expect(notesOf(members, { 'am-1': up() })).toEqual([])
})

test('a split cluster is told by who sees whom', () => {
  const split = [member('am-1', ['am-1']), member('am-2', ['am-2', 'am-3']), member('am-3', ['am-2', 'am-3'])]
  expect(notesOf(split, {})).toEqual([
    'the alertmanager cluster is split into 2 partitions: am-2 + am-3 | am-1; each side sees only itself and notifies by itself',
  ])
})

test('one missing member is no split', () => {
  const rest = [member('am-1', ['am-1', 'am-3']), down('am-2'), member('am-3', ['am-1', 'am-3'])]
  expect(notesOf(rest, {})).toEqual([
    'am-2 does not answer and left the alertmanager cluster; the other 2 see each other',
  ])
})

test('one whose service is known not to run has said so itself', () => {
  const rest = [
    member('am-1', ['am-1', 'am-3']),
    { ...down('am-2'), service: 'stopped' },
    member('am-3', ['am-1', 'am-3']),
  ]
  expect(notesOf(rest, {})).toEqual([])
})

test('a member that only its web port keeps from answering is still seen by the others', () => {
  const all: readonly Name[] = ['am-1', 'am-2', 'am-3']
  expect(notesOf([member('am-1', all), down('am-2'), member('am-3', all)], {})).toEqual([
    'am-2 does not answer, yet is seen in the alertmanager cluster; the other 2 see each other',
  ])
})

test('a fleet in the middle of a roll is told by its versions, and a process that was not restarted by its disk', () => {
  const versions = [
    { instance: 'prom-1', version: { running: '2.42.0', disk: '3.5.3' } },
    { instance: 'prom-2', version: { running: '3.5.3', disk: '3.5.3' } },
  ]
  expect(
    notesOf(
      versions.map((one) => ({ ...one, role: 'prometheus', healthy: true, failing: [] })),
      {},
    ),
  ).toEqual([
    'prometheus runs in 2 versions, as in the middle of a roll: 2.42.0 on prom-1; 3.5.3 on prom-2',
    'prometheus on prom-1 is a stale process: it runs 2.42.0, 3.5.3 is on disk',
  ])
})

test('a host that cannot be read, and one that somebody is changing, are named', () => {
  const lock = { owner: 'ada@laptop', run: 'r1', since: '2026-01-01T00:00:00Z' }
  expect(notesOf([], { one: { reachable: false, why: 'nothing listens' }, two: up(lock) })).toEqual([
    'one could not be read: nothing listens',
    'two is being changed by ada@laptop since 2026-01-01T00:00:00Z (run r1)',
  ])
})

test('partitions follow who sees whom, even over others and in one direction only', () => {
  const chain = [
    { name: 'a', self: '1', seen: ['1', '2'] },
    { name: 'b', self: '2', seen: ['2'] },
    { name: 'c', self: '3', seen: ['3', '2'] },
    { name: 'd', self: '4', seen: ['4'] },
  ]
  expect(partitionsOf(chain)).toEqual([['a', 'b', 'c'], ['d']])
  expect(partitionsOf([])).toEqual([])
})
