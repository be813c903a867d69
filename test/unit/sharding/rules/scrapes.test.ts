import { expect, test } from 'vitest'
import { type Scrape, shardingOfScrapes } from '../../../../lib/sharding/rules/scrapes.ts'

const spread = (config: Scrape['config'], labels = ['namespace'], trusted: readonly string[] = []) =>
  shardingOfScrapes([{ name: 'one', config }], { labels, trusted })
const relabels = (...metric_relabel_configs: readonly object[]) => ({ metric_relabel_configs })

test.each<[string, Scrape['config'], readonly string[]]>([
  ['a plain job', {}, []],
  ['honor_labels', { honor_labels: true }, ['job', 'instance', 'namespace']],
  ['a metric that is dropped', relabels({ source_labels: ['__name__'], regex: 'go_.*', action: 'drop' }), []],
  ['another label', relabels({ target_label: 'zone', replacement: 'a' }), []],
  ['a label that targets are hashed by', relabels({ target_label: 'namespace', replacement: 'a' }), ['namespace']],
  ['a name that is made', relabels({ source_labels: ['x'], target_label: '$1' }), ['job', 'instance', 'namespace']],
  ['lowercase', relabels({ source_labels: ['instance'], target_label: 'instance', action: 'Lowercase' }), ['instance']],
  ['labelmap', relabels({ regex: 'exported_(.*)', action: 'labelmap' }), ['job', 'instance', 'namespace']],
  ['labelmap to one name', relabels({ regex: 'x', replacement: 'job', action: 'labelmap' }), ['job']],
  ['labeldrop', relabels({ regex: 'inst.*', action: 'labeldrop' }), ['instance']],
  ['labelkeep', relabels({ regex: '__name__|job|instance', action: 'labelkeep' }), ['namespace']],
  ['labelkeep that can’t be read', relabels({ regex: '(', action: 'labelkeep' }), ['job', 'instance', 'namespace']],
])('%s puts in doubt what its series may have from elsewhere', (_, config, doubted) => {
  expect([...spread(config).doubts.keys()]).toEqual(doubted)
  expect([...spread(config, ['namespace'], ['one']).doubts.keys()]).toEqual([])
})

test('what is hashed in place of the labels is seen, and what several shards scrape', () => {
  const step = (target_label: string, more = {}) => ({ relabel_configs: [{ target_label, replacement: 'x', ...more }] })
  const seen = (config: Scrape['config'], labels?: string[]) => spread(config, labels).seen
  expect([seen({}), seen({}, ['__address__']), seen(step('__tmp_hash'))]).toEqual([true, false, false])
  const all = step('__tmp_disable_sharding')
  const everywhere = spread(all)
  expect([[...everywhere.everywhere], everywhere.shared]).toEqual([['one'], [{ job: 'one', wholly: true }]])
  const some = spread(step('__tmp_disable_sharding', { source_labels: ['a'], regex: 'b' }))
  expect([[...some.everywhere], some.shared]).toEqual([[], [{ job: 'one', wholly: false }]])
  const beside = (other: object) =>
    shardingOfScrapes(
      [
        { name: 'one', config: all },
        { name: 'two', config: {}, ...other },
      ],
      { labels: ['job'] },
    )
  expect([...beside({}).everywhere]).toEqual(['one'])
  expect([
    ...beside({ config: { relabel_configs: [{ source_labels: ['x'], target_label: 'job' }] } }).everywhere,
  ]).toEqual([])
  expect([...beside({ targets: [{ address: 'a:1', labels: { job: 'one' } }] }).everywhere]).toEqual([])
  const renamed = spread({ relabel_configs: [...all.relabel_configs, { target_label: 'job', replacement: 'y' }] })
  expect([[...renamed.everywhere], renamed.shared]).toEqual([[], [{ wholly: false }]])
  const two = [
    { name: 'one', config: all },
    { name: 'one', config: { ...all, params: {} } },
  ]
  expect([...shardingOfScrapes(two, { labels: ['namespace'] }).everywhere]).toEqual([])
})

test('targets that are called alike, and are not at one address, can be on two shards', () => {
  const targets = ['10.0.0.1:1', '10.0.0.2:1'].map((address) => ({ address, labels: { instance: 'web' } }))
  const { doubts } = shardingOfScrapes([{ name: 'one', config: {}, targets }], { labels: ['__address__'] })
  expect([...doubts]).toEqual([
    ['instance', 'targets at other addresses are called alike: one, web (10.0.0.1:1 and 10.0.0.2:1)'],
  ])
})
