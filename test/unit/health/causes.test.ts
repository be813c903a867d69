import { describe, expect, test } from 'vitest'
import { type Answered, withCauses } from '../../../lib/health/causes.ts'

const ADDRESSES = { 'am-1': '10.0.0.1', 'am-2': '10.0.0.2', 'am-3': '10.0.0.3' } as const
type Name = keyof typeof ADDRESSES
const ALL = Object.keys(ADDRESSES) as readonly Name[]
const gossip = (name: Name): string => `${ADDRESSES[name]}:9094`

const row = (name: Name, more: Partial<Answered> = {}): Answered => ({
  instance: name,
  role: 'alertmanager',
  address: ADDRESSES[name],
  reachable: true,
  service: 'running',
  failing: [],
  members: { self: gossip(name), seen: ALL.map(gossip), expected: ALL.map(gossip) },
  ...more,
})
const misses = (...names: readonly Name[]): Answered['failing'] => [
  { text: `gossip: does not see ${names.join(', ')}`, lacks: names.map(gossip) },
]
const own = { text: 'config: it runs on another' }
const causesOf = (...rows: readonly Answered[]) =>
  withCauses(rows).map(({ instance, healthy, failing, because }) => ({ instance, healthy, failing, because }))

describe('a stopped service', () => {
  const rows = [
    row('am-1', { failing: misses('am-2') }),
    row('am-2', { service: 'stopped', members: undefined, failing: [own, { text: 'no answer' }] }),
    row('am-3', { failing: [...misses('am-2'), own] }),
  ]
  test('is the one thing wrong with it, and what its peers lack of it is its own; what else is wrong with them stays', () => {
    expect(causesOf(...rows)).toEqual([
      { instance: 'am-1', healthy: false, failing: [], because: ['am-2 alertmanager'] },
      { instance: 'am-2', healthy: false, failing: ['its service is stopped'] },
      { instance: 'am-3', healthy: false, failing: [own.text], because: ['am-2 alertmanager'] },
    ])
  })
  test('explains no gate that lacks somebody else too, nor a peer of another role', () => {
    const both = row('am-1', { failing: misses('am-2', 'am-3') })
    const stopped = row('am-2', { service: 'stopped' })
    expect(causesOf(both, stopped, row('am-3'))[0]?.failing).toEqual(['gossip: does not see am-2, am-3'])
    const other = row('am-2', { role: 'node_exporter', service: 'stopped' })
    expect(causesOf(row('am-1', { failing: misses('am-2') }), other)[0]?.failing).toEqual(['gossip: does not see am-2'])
  })
})

test('a host that cannot be read explains its instances and what others lack of them', () => {
  const lost = row('am-2', { reachable: false, service: undefined, failing: [own, own] })
  expect(causesOf(row('am-1', { failing: misses('am-2') }), lost)).toEqual([
    { instance: 'am-1', healthy: false, failing: [], because: ['am-2 alertmanager'] },
    { instance: 'am-2', healthy: false, failing: [], because: ["am-2 can't be read"] },
  ])
})

describe('a split cluster', () => {
  const sees = (...names: readonly Name[]) => ({ seen: names.map(gossip), expected: ALL.map(gossip) })
  const alone = { self: gossip('am-1'), ...sees('am-1') }
  const pair = sees('am-2', 'am-3')
  test('explains what each side lacks of the others', () => {
    const because = ['the alertmanager cluster is split']
    expect(
      causesOf(
        row('am-1', { members: alone, failing: misses('am-2', 'am-3') }),
        row('am-2', { members: { self: gossip('am-2'), ...pair }, failing: misses('am-1') }),
        row('am-3', { members: { self: gossip('am-3'), ...pair }, failing: misses('am-1') }),
      ),
    ).toEqual(ALL.map((instance) => ({ instance, healthy: false, failing: [], because })))
  })
  test('explains nothing where members see each other over others', () => {
    const rows = [row('am-1', { failing: misses('am-2') }), row('am-2'), row('am-3')]
    expect(causesOf(...rows)[0]).toMatchObject({ failing: ['gossip: does not see am-2'], because: undefined })
  })
})

test('addresses of IPv6 are told from their ports', () => {
  const up = row('am-1', { failing: [{ text: 'x', lacks: ['[fd00::2]:9094'] }] })
  expect(causesOf(up, row('am-2', { address: 'fd00::2', service: 'missing' }))[0]?.because).toEqual([
    'am-2 alertmanager',
  ])
})
