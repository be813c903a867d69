import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { InputError } from '../../../../lib/errors.ts'
import { lintFiles, splitRules } from '../../../../lib/sharding/rules/rule-files.ts'
import { shardingBy } from '../../../../lib/sharding/rules/sharding.ts'

const byAddress = shardingBy(['__address__'])
const reasons = (text: string, sharding = byAddress) =>
  lintFiles([{ path: 'r.yml', text }], sharding).flatMap((one) => one.reasons)

test('a reason is told at the line and column of its part, however YAML writes the expression', () => {
  const text = `groups:
  - name: g
    rules:
      - alert: Plain
        expr: up == 0 and
          count(up) > 1
      - {alert: Quoted, expr: "up == 0 \\"\\" or\\tcount(up)"}
      - alert: Single
        expr: 'label_replace(up, ''x'', "", "", "") > count(up)'
      - alert: Literal
        expr: |2
            up == 0 # first

            and count(up) > 1
      - alert: Folded
        expr: >-
          up == 0
          and count(up) > 1
      - record: labelled
        expr: up
        labels:
          severity: x
          instance: y
`
  expect(reasons(text).map(({ where, what }) => `${where} ${what.slice(0, 9)}`)).toEqual([
    'r.yml:6:11 `count` o',
    'r.yml:7:40 cannot be',
    'r.yml:9:55 `count` o',
    'r.yml:14:17 `count` o',
    'r.yml:18:15 `count` o',
    'r.yml:23:21 its label',
  ])
})

test('rules that read what another file records are judged with it', () => {
  const files = [
    {
      path: 'a.yml',
      text: 'groups: [{name: a, rules: [{alert: A, expr: "all:level > 1"}, {alert: B, expr: "level > 1"}]}]',
    },
    { path: 'b.yml', text: 'groups: [{name: b, rules: [{record: all:level, expr: sum(level)}]}]' },
  ]
  const verdicts = lintFiles(files, byAddress)
  expect(verdicts.map(({ safe }) => safe)).toEqual([false, true, false])
  expect(verdicts[0]?.reasons).toEqual([
    { where: 'a.yml:1:46', what: 'reads what all:level (b.yml:1) makes, which is not safe on a shard' },
  ])
})

test('what is evaluated over all shards is on none of them, safe or not, and what is wanted on every shard is there', () => {
  const text =
    'groups: [{name: g, rules: [{record: one, expr: level}, {alert: A, expr: one > 1}, {alert: B, expr: sum(level)}]}]'
  const said = ({ name }: { name: string }) => (name === 'one' ? 'global' : name === 'B' ? 'shard' : undefined)
  const verdicts = lintFiles([{ path: 'r.yml', text }], byAddress, said)
  expect(verdicts.map(({ safe, place }) => [safe, place])).toEqual([
    [false, 'global'],
    [false, 'global'],
    [false, 'shard'],
  ])
})

test('rules that depend on each other or on themselves are not safe', () => {
  const text = `groups: [{name: g, rules: [{record: a, expr: b offset 1m}, {record: b, expr: a}, {record: c, expr: "max_over_time(c[1h]) or up"}]}]`
  expect(lintFiles([{ path: 'r.yml', text }], byAddress).map(({ safe }) => safe)).toEqual([false, false, false])
})

test('an expression that is none, or that nobody can follow, is not safe', () => {
  const ofExpr = (expr: string) => reasons(JSON.stringify({ groups: [{ name: 'g', rules: [{ alert: 'A', expr }] }] }))
  expect(ofExpr('up ==')).toEqual([{ where: 'r.yml:1:59', what: expect.stringContaining('is not PromQL') }])
  const deep = [`${'('.repeat(50_000)}up${')'.repeat(50_000)}`, Array.from({ length: 50_000 }, () => 'up').join(' + ')]
  for (const expr of deep)
    expect(ofExpr(expr)).toMatchObject([{ what: expect.stringContaining('cannot be proven: it is') }])
  expect(ofExpr(Array.from({ length: 400 }, () => 'up').join(' + '))).toEqual([])
})

test('a label that need not be the target’s own makes nothing safe', () => {
  const text = 'groups: [{name: g, rules: [{alert: A, expr: up == 0}, {alert: B, expr: vector(1)}]}]'
  const doubts = new Map([['instance', 'job push has honor_labels (hosts.yml:3:5)']])
  expect(reasons(text, shardingBy(['__address__'], { doubts }))).toEqual([
    { where: 'r.yml:1:45', what: 'cannot be proven: job push has honor_labels (hosts.yml:3:5)' },
  ])
  expect(reasons(text, shardingBy(['namespace'], { doubts }))).toEqual([])
})

test('a file is parted by where its rules can be evaluated, and left as it is where all go to one place', () => {
  const mixed = `# On top.
groups:
  - name: both
    interval: 30s
    rules:
      - alert: Down
        expr: up == 0
        for: 5m
        labels: { version: 1.10 }
      - record: all:level
        expr: sum(level)
  - name: far
    rules: [{ record: n, expr: count(up) }]
`
  const files = [
    { path: 'mixed.yml', text: mixed, name: 'one' },
    { path: 'near.yml', text: 'groups: [{name: n, rules: [{alert: A, expr: up == 0}]}] # as it is', name: 'two' },
    { path: 'far.yml', text: 'groups: [{name: f, rules: [{alert: A, expr: sum(up) == 0}]}]', name: 'three' },
    { path: 'none.yml', text: 'groups: []', name: 'four' },
  ]
  const { shard, global, verdicts } = splitRules(files, byAddress)
  expect(verdicts).toHaveLength(5)
  expect(shard.map(({ name }) => name)).toEqual(['one', 'two', 'four'])
  expect(global.map(({ name }) => name)).toEqual(['one', 'three'])
  expect([shard[1], shard[2], global[1]]).toEqual([files[1], files[3], files[2]])
  expect(shard[0]?.text).toContain('version: 1.10')
  expect(parse(shard[0]?.text ?? '')).toEqual({
    groups: [
      {
        name: 'both',
        interval: '30s',
        rules: [{ alert: 'Down', expr: 'up == 0', for: '5m', labels: { version: 1.1 } }],
      },
    ],
  })
  expect(parse(global[0]?.text ?? '')).toEqual({
    groups: [
      { name: 'both', interval: '30s', rules: [{ record: 'all:level', expr: 'sum(level)' }] },
      { name: 'far', rules: [{ record: 'n', expr: 'count(up)' }] },
    ],
  })
})

test('a file that repeats parts of itself is parted too, and labels that it repeats are seen', () => {
  const text = `groups:
  - name: g
    rules:
      - { alert: A, expr: sum(up), labels: &l { instance: x } }
      - { alert: B, expr: up == 0, labels: *l }
      - { alert: C, expr: up == 0 }
      - { alert: D, expr: vector(1), labels: *l }
`
  const { shard, global } = splitRules([{ path: 'r.yml', text }], byAddress)
  const names = (some: readonly { text: string }[]) =>
    some.flatMap((one) =>
      parse(one.text).groups.flatMap((group: { rules: { alert: string }[] }) => group.rules.map(({ alert }) => alert)),
    )
  expect([names(shard), names(global)]).toEqual([
    ['C', 'D'],
    ['A', 'B'],
  ])
  expect(parse(shard[0]?.text ?? '').groups[0].rules[1].labels).toEqual({ instance: 'x' })
})

test.each([
  ['groups: [', 'r.yml:1:'],
  ['rules: []', 'r.yml:1:1'],
  ['groups:\n  - name: g\n    rules:\n      - alert: A\n', 'r.yml:4:9'],
  ['groups:\n  - name: g\n    rules:\n      - { alert: A, expr: up, labels: { <<: { a: b } } }\n', 'r.yml:4:9'],
])('%j is refused at its place', (text, where) => {
  const refused = () => lintFiles([{ path: 'r.yml', text }], byAddress)
  expect(refused).toThrow(InputError)
  expect(refused).toThrow(where)
})
