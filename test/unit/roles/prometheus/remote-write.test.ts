import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { InputError } from '../../../../lib/errors.ts'
import { trackedLabels } from '../../../../roles/prometheus/remote-write.ts'
import { fleet, hostsFile } from '../fleet.ts'

const PUSH = 'http://mimir:9009/api/v1/push'
const sending = (entry: object, prometheus: object = { cluster: 'eu' }, sharded = true) =>
  fleet({
    'hosts.yml': hostsFile(
      { prometheus: Object.fromEntries(['p-0a', 'p-0b', 'p-1a', 'p-1b'].map((name) => [name, {}])) },
      { prometheus: { version: '3.5.3', ...(sharded && { shards: 2 }), ...prometheus, remote_write: [entry] } },
    ),
    ...(sharded && { 'shards.yml': 'labels: [__address__]\nbuckets: 4\nshards:\n  "0": "0-1"\n  "1": "2-3"\n' }),
  })
const configOf = (made: Awaited<ReturnType<typeof sending>>, host: string) =>
  parse(made.text('prometheus', host, '/etc/prometheus/prometheus.yml'))
const seen = (made: Awaited<ReturnType<typeof sending>>, host: string) => {
  const { global, remote_write } = configOf(made, host)
  return trackedLabels(global.external_labels, remote_write[0].write_relabel_configs, '3.5.3')
}

test('an HA tracker sees one cluster for each shard, and the replicas of each', async () => {
  const own = { regex: 'go_.*', source_labels: ['__name__'], action: 'drop' }
  using made = await sending({ url: PUSH, ha_tracker: true, write_relabel_configs: [own] })
  expect(['p-0a', 'p-0b', 'p-1a', 'p-1b'].map((host) => seen(made, host))).toEqual([
    { cluster: 'eu-0', replica: 'p-0a' },
    { cluster: 'eu-0', replica: 'p-0b' },
    { cluster: 'eu-1', replica: 'p-1a' },
    { cluster: 'eu-1', replica: 'p-1b' },
  ])
  const [entry] = configOf(made, 'p-0a').remote_write
  expect([entry.url, 'ha_tracker' in entry, entry.write_relabel_configs[0]]).toEqual([PUSH, false, own])
  expect(entry.write_relabel_configs.at(-1)).toEqual({ regex: 'replica|shard', action: 'labeldrop' })
})

test('without shards the cluster is as it is', async () => {
  using made = await sending({ url: PUSH, ha_tracker: true }, { cluster: 'eu' }, false)
  expect(seen(made, 'p-1b')).toEqual({ cluster: 'eu', replica: 'p-1b' })
})

test('an entry without a tracker is left as it is', async () => {
  using made = await sending({ url: 'http://vm:8428/api/v1/write', queue_config: { max_shards: 2 } })
  expect(configOf(made, 'p-0a').remote_write).toEqual([
    { url: 'http://vm:8428/api/v1/write', queue_config: { max_shards: 2 } },
  ])
})

test('a receiver that deduplicates gets the same series from all replicas and shards', async () => {
  const own = { regex: 'go_.*', source_labels: ['__name__'], action: 'drop' }
  using made = await sending({ url: 'http://vm:8428/api/v1/write', deduplicates: true, write_relabel_configs: [own] })
  for (const host of ['p-0a', 'p-0b', 'p-1a', 'p-1b'])
    expect(configOf(made, host).remote_write).toEqual([
      {
        url: 'http://vm:8428/api/v1/write',
        write_relabel_configs: [own, { regex: 'replica|shard', action: 'labeldrop' }],
      },
    ])
  await expect(sending({ url: PUSH, deduplicates: true, ha_tracker: true })).rejects.toThrow(
    'prometheus.remote_write.0.deduplicates: is for receivers without an HA tracker',
  )
})

test('what would lose a shard at the tracker is refused, and a tracker without a cluster', async () => {
  const byHand = { write_relabel_configs: [{ source_labels: ['replica'], target_label: '__replica__' }] }
  using alike = await sending({ url: PUSH, ...byHand })
  const refused = () => alike.tasks('prometheus', 'p-0a')
  expect(refused).toThrow(InputError)
  expect(refused).toThrow('host p-0a, p-1a: prometheus.remote_write.0: shards 0 and 1 send the same cluster "eu"')
  using nameless = await sending({ url: PUSH, ha_tracker: true }, {})
  expect(() => nameless.tasks('prometheus', 'p-0a')).toThrow(
    /host p-0a: prometheus\.remote_write\.0\.ha_tracker: needs a value of cluster[\s\S]*host p-1b/,
  )
  using single = await sending({ url: PUSH, ...byHand }, { cluster: 'eu' }, false)
  expect(single.tasks('prometheus', 'p-0a').length).toBeGreaterThan(0)
})
