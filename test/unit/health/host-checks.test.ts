import { expect, test } from 'vitest'
import { HostError, SudoError } from '../../../lib/errors.ts'
import { findingsOf } from '../../../lib/health/finding.ts'
import { type HostFacts, hostRules } from '../../../lib/health/host-checks.ts'
import type { Survey } from '../../../lib/health/survey.ts'
import type { Facts, Host } from '../../../lib/model.ts'

const GIB = 1024 ** 3
const facts: Facts = {
  os: 'debian 12',
  arch: 'amd64',
  bootId: 'b',
  systemd: 252,
  clockSkewMs: 3,
  lastRun: '',
  lock: null,
}
const disk = { freeBytes: 50 * GIB, sizeBytes: 100 * GIB, inodes: 1e6, freeInodes: 1e6 }
const survey: Survey = {
  facts,
  ms: 100,
  uid: 0,
  memoryBytes: 4 * GIB,
  disks: new Map([['/var/lib/prometheus', disk]]),
  listeners: [{ protocol: 'tcp', port: 9090, pid: 7, name: 'prometheus', unit: 'prometheus.service', command: [] }],
  refused: [],
  forwards: true,
  addresses: [],
  names: new Map(),
}
const needs: HostFacts['needs'] = {
  ports: [{ port: 9090, protocol: 'tcp', unit: 'prometheus.service' }],
  folders: ['/var/lib/prometheus'],
  roomBytes: 60 * GIB,
  memoryBytes: 2 * GIB,
}
const on = (name: string, found: HostFacts['survey'] | Partial<Survey>): HostFacts => ({
  host: { name, machine: { arch: 'amd64' } } as Host,
  needs,
  survey: found instanceof HostError ? found : { ...survey, ...found },
})
const find = (...hosts: readonly HostFacts[]) => findingsOf(hostRules, { hosts })
const skewed = (name: string, clockSkewMs: number, ms = 100) => on(name, { ms, facts: { ...facts, clockSkewMs } })
const withDisk = (more: Partial<typeof disk>) =>
  on('a', { disks: new Map([['/var/lib/prometheus', { ...disk, ...more }]]) })

test('a machine that is as it must be gives no finding', () => {
  expect(find(on('a', {}))).toEqual([])
})

test.each<readonly [string, HostFacts, RegExp]>([
  ['unreachable', on('a', new HostError('a', 'nothing listens', { hint: 'Start sshd.' })), /nothing listens/],
  ['sudo', on('a', new SudoError('a', 'sudo to root was refused')), /refused/],
  ['sudo', on('a', { uid: 1000 }), /as user 1000/],
  ['architecture', on('a', { facts: { ...facts, arch: 'arm64' } }), /arm64, the inventory says amd64/],
  ['systemd', on('a', { facts: { ...facts, systemd: 0 } }), /does not run/],
  ['systemd', on('a', { facts: { ...facts, systemd: 241 } }), /systemd 241/],
  [
    'locked',
    on('a', { facts: { ...facts, lock: { owner: 'ada@x', run: 'r', since: '2026-01-01T00:00:00Z' } } }),
    /^locked by ada@x since 2026-01-01T00:00:00Z \(run r\), for /,
  ],
  [
    'way-of-another',
    on('a', { refused: [{ task: 'directory /srv/x/data', why: '/srv/x belongs to x', fix: 'chown it.' }] }),
    /^directory \/srv\/x\/data: \/srv\/x belongs to x$/,
  ],
  ['no-forwarding', on('a', { forwards: false }), /forbids that ports are forwarded/],
  ['clock', skewed('a', -300_000), /^its clock is 5 m 00 s behind this machine’s$/],
  ['disk-full', withDisk({ freeBytes: 1e6 }), /^\/var\/lib\/prometheus: only 1 MiB free/],
  ['disk-full', withDisk({ freeInodes: 3 }), /3 inodes/],
  ['disk-low', withDisk({ freeBytes: GIB }), /only 1\.0 GiB free/],
  ['retention-room', withDisk({ sizeBytes: 55 * GIB }), /may take 60\.0 GiB, its file system has 55\.0 GiB/],
  ['memory', on('a', { memoryBytes: GIB }), /may take 2\.0 GiB, the machine has 1\.0 GiB/],
  [
    'port-taken',
    on('a', {
      listeners: [{ protocol: 'tcp', port: 9090, pid: 9, name: 'nginx', unit: 'nginx.service', command: [] }],
    }),
    /^tcp port 9090 of prometheus\.service is taken by nginx \(pid 9, nginx\.service\)$/,
  ],
])('%s is found, and nothing else', (id, facts, what) => {
  expect(find(facts)).toEqual([expect.objectContaining({ id, hosts: ['a'], what: expect.stringMatching(what) })])
})

test('a port may be that of a unit whose work the service goes on with', () => {
  const listeners = [
    { protocol: 'tcp' as const, port: 9090, pid: 9, name: 'prometheus', unit: 'old.service', command: [] },
  ]
  const [port] = needs.ports ?? []
  const until = { ...needs, ports: port ? [{ ...port, until: ['old.service'] }] : [] }
  expect(find({ ...on('a', { listeners }), needs: until })).toEqual([])
})

test('where most machines agree, the one that does not is named, not the others with this machine’s clock off', () => {
  const found = find(skewed('a', 60_000), skewed('b', 60_010), skewed('c', 0))
  expect(found.map(({ hosts, what }) => [hosts, what])).toEqual([[['c'], 'its clock is 1 m 00 s behind most others’']])
})

test('a slow answer is no clock that is off', () => {
  expect(find(skewed('a', 7_000, 6_000))).toEqual([])
})
