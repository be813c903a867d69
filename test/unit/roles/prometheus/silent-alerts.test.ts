import { expect, test } from 'vitest'
import { scopeOf } from '../../../../lib/playbook.ts'
import { relabel } from '../../../../lib/routing/relabel.ts'
import { bucketOf, hashmod } from '../../../../lib/sharding/hash.ts'
import { moveBegun, moveDone, moveSeen, moveSending, moveUndone } from '../../../../lib/sharding/move.ts'
import { evenOwners, type ShardTable, tableOf, tableText } from '../../../../lib/sharding/table.ts'
import { alertPath } from '../../../../roles/prometheus/alert-path.ts'
import { prometheus } from '../../../../roles/prometheus/role.ts'
import { fleet, hostsFile, route } from '../fleet.ts'

const ADDRESSES = Array.from({ length: 40 }, (_, at) => `10.1.0.${at}:9100`)
const OTHERS = Object.fromEntries(ADDRESSES.map((one, at) => [`m-${at}`, { ansible_host: one.split(':')[0] }]))

/** Which alerts with these labels a shard's server sends: what it says of an alert after the table's last step. */
const senderOf = async (table: ShardTable, settings: object = {}) => {
  using made = await fleet({
    'hosts.yml': hostsFile(
      {
        prometheus: { old: { ansible_host: '10.0.0.1' }, new: { ansible_host: '10.0.0.2' } },
        shard_0: { old: {} },
        shard_1: { new: {} },
        alertmanager: { am: { ansible_host: '10.0.0.3' } },
        many: OTHERS,
      },
      {
        prometheus: {
          version: '3.5.3',
          targets: { app: { group: 'many', port: 9100 } },
          scrape_configs: [
            { job_name: 'fixed', static_configs: [{ targets: ADDRESSES }] },
            { job_name: 'found', consul_sd_configs: [{}], relabel_configs: [{ target_label: 'dc', replacement: 'x' }] },
            { job_name: 'honoured', honor_labels: true, consul_sd_configs: [{}] },
            {
              job_name: 'renamed',
              consul_sd_configs: [{}],
              relabel_configs: [{ source_labels: ['__meta_consul_node'], target_label: 'instance' }],
            },
          ],
          ...settings,
        },
        alertmanager: { version: '0.33.1', config: route },
      },
    ),
    'shards.yml': tableText(table),
  })
  return (host: string, labels: Readonly<Record<string, string>>) => {
    const { steps, dotAll } = alertPath(scopeOf(prometheus, made.host(host), made.inventory))
    return relabel({ alertname: 'Down', ...labels }, steps, dotAll)
  }
}

const TWO = tableOf(evenOwners(1), { shards: [1] })
const HALF = TWO.owners.map((owner, bucket) => (bucket % 2 === 0 ? owner : 1))
const begun = moveBegun(TWO, HALF)
const moves = (address: string, by: readonly string[] = ['__address__']): boolean =>
  (bucketOf({ __address__: address, namespace: address }, by, TWO.buckets) ?? 0) % 2 === 1

test.each([
  ['while old shards let go', moveSeen(begun)],
  ['afterwards', moveDone(moveSeen(begun))],
])('%s, alerts of targets that moved are the new shard’s alone to send', async (_, table) => {
  const sent = await senderOf(table)
  expect(new Set(ADDRESSES.map((one) => moves(one))).size).toBe(2)
  for (const [at, address] of ADDRESSES.entries())
    for (const [job, instance] of [
      ['app', `m-${at}:9100`],
      ['fixed', address],
      ['found', address],
    ] as const) {
      const alert = { job, instance }
      expect({ alert, sent: sent('old', alert) !== null }).toEqual({ alert, sent: !moves(address) })
      expect(sent('new', alert)).toEqual({ alertname: 'Down', ...alert })
    }
})

test.each([
  ['until the new shard has had it for long enough, alerts of what moves are the old one’s', begun, 'old'],
  ['then both send', moveSending(begun), 'both'],
  ['a move that is undone before leaves them to the old one', moveUndone(begun), 'old'],
  ['one that is undone later, to the new one', moveUndone(moveSeen(begun)), 'new'],
  ['once all is back, they are the old one’s', moveDone(moveSeen(moveUndone(begun))), 'old'],
  [
    'so is what moves back, until its shard has had it for long enough',
    moveBegun(moveDone(moveSeen(begun)), TWO.owners),
    'new',
  ],
])('%s', async (_, table, who) => {
  const sent = await senderOf(table)
  for (const instance of ADDRESSES.filter((one) => moves(one)))
    for (const job of ['fixed', 'found'])
      for (const host of ['old', 'new'])
        expect({ host, instance, job, sent: sent(host, { job, instance }) !== null }).toEqual({
          host,
          instance,
          job,
          sent: who === 'both' || who === host,
        })
  for (const instance of ADDRESSES.filter((one) => !moves(one)))
    expect(sent('old', { job: 'fixed', instance })).toEqual({ alertname: 'Down', job: 'fixed', instance })
})

test('an alert that cannot be told to be of a target that moved is sent', async () => {
  const sent = await senderOf(moveSeen(begun))
  for (const instance of ADDRESSES) {
    for (const job of ['honoured', 'renamed', 'unknown', 'foundling'])
      expect(sent('old', { job, instance })).toEqual({ alertname: 'Down', job, instance })
    expect(sent('old', { instance })).not.toBeNull()
  }
  for (const job of ['app', 'fixed', 'found']) expect(sent('old', { job })).not.toBeNull()
})

test('where targets are hashed by a label of theirs, alerts that have it are told by it', async () => {
  const hashed = { ...TWO, labels: ['namespace'] }
  const sent = await senderOf(moveSeen(moveBegun(hashed, HALF)), { version: '2.42.0' })
  for (const namespace of ADDRESSES) {
    expect(sent('old', { job: 'found', namespace }) !== null).toBe(!moves(namespace, ['namespace']))
    expect(sent('old', { job: 'honoured', namespace })).not.toBeNull()
  }
  expect(sent('old', { job: 'found' })).not.toBeNull()
})

test('an alert that may be of a target that stays is sent', async () => {
  const paged = (path: string) => ({
    targets: ADDRESSES,
    labels: { page: path, ...(path === 'all' && { __tmp_disable_sharding: 'yes' }) },
  })
  const hashed = { ...TWO, labels: ['__address__', 'page'] }
  const moved = (address: string, page: string): boolean => hashmod(`${address};${page}`, TWO.buckets) % 2 === 1
  const sent = await senderOf(moveSeen(moveBegun(hashed, HALF)), {
    scrape_configs: [
      { job_name: 'one', static_configs: [paged('a')] },
      { job_name: 'two', static_configs: [paged('a'), paged('b')] },
      { job_name: 'everywhere', static_configs: [paged('a'), paged('all')] },
    ],
  })
  for (const instance of ADDRESSES) {
    const [a, b] = [moved(instance, 'a'), moved(instance, 'b')]
    const jobs = ['one', 'two', 'everywhere'].map((job) => sent('old', { job, instance }) !== null)
    expect({ instance, a, b, jobs }).toEqual({ instance, a, b, jobs: [!a, !(a && b), true] })
  }
})

test('before 3.0 a target that is found has an instance that may not be what was hashed', async () => {
  const sent = await senderOf(moveSeen(begun), { version: '2.42.0' })
  for (const instance of ADDRESSES) {
    expect(sent('old', { job: 'found', instance })).not.toBeNull()
    expect(sent('old', { job: 'fixed', instance }) !== null).toBe(!moves(instance))
  }
})
