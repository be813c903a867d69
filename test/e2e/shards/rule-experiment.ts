/** Rules evaluated by promtool over random data: on one server with all of it, and on three shards with whole targets each. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bucketOf } from '../../../lib/sharding/hash.ts'
import type { Case } from '../../unit/sharding/rules/cases.ts'

export interface Outcome {
  /** Data sets over which one server evaluated the rules without an error; the others say nothing. */
  readonly evaluated: number
  /** Those of them for which the shards together had other series, other alerts, or at another time. */
  readonly differing: readonly number[]
  /** Data sets for which one server had any series or alert. */
  readonly telling: number
  /** What differed first, for a person. */
  readonly first?: string
}

export const SHARDS = [0, 1, 2]
const MINUTES = 16
const ASKED = [3, 5, 6, 8, 9, 11, 12, 14]
/** The tested rule as it stands, and its expression again as a series, whose values can be compared. */
const QUERIES = ['ALERTS{alertname="Tested"}', 'tested']

/** What is evaluated: a rule, and the rules before it. */
export interface Tested extends Pick<Case, 'expr' | 'after' | 'labels' | 'annotations'> {
  /** Random data: the series of each target, with the shards that scrape it. */
  data(random: () => number): readonly Series[]
}

/** Evaluates a case over data of each of these seeds. */
export const experiment = (promtool: string, one: Omit<Case, 'safe' | 'why'>, seeds: readonly number[]): Outcome =>
  evaluate(promtool, { ...one, data: (random) => dataOf(one, random) }, seeds)

/** Evaluates a rule over data of each of these seeds. */
export const evaluate = (promtool: string, tested: Tested, seeds: readonly number[]): Outcome => {
  const folder = mkdtempSync(join(tmpdir(), 'vestal-rules-'))
  try {
    const { expr, after = [], labels, annotations } = tested
    const rules = [
      ...after,
      { alert: 'Tested', expr, for: '2m', labels, annotations },
      { record: 'tested', expr, labels: recordable(labels) },
    ]
    writeFileSync(join(folder, 'rules.yml'), JSON.stringify({ groups: [{ name: 'g', rules }] }))
    const tests = seeds.flatMap((seed, at) => {
      const series = tested.data(randomOf(seed))
      return [undefined, ...SHARDS].map((shard, part) => testOf(series, shard, at * (SHARDS.length + 1) + part))
    })
    const file = join(folder, 'rules.test.yml')
    writeFileSync(file, JSON.stringify({ rule_files: ['rules.yml'], evaluation_interval: '1m', tests }))
    const { stdout, stderr } = spawnSync(
      promtool,
      ['--enable-feature=promql-experimental-functions', 'test', 'rules', file],
      { encoding: 'utf8', maxBuffer: 2 ** 28 },
    )
    return compared(answersOf(stdout + stderr), seeds)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Labels with a template belong to alerts alone. */
const recordable = (labels: Case['labels'] = {}) =>
  Object.fromEntries(Object.entries(labels).filter(([, value]) => !value.includes('{{')))

export interface Series {
  readonly name: string
  readonly values: string
  /** The shards that have it. */
  readonly shards: readonly number[]
}

/** What a random fleet exposes: seven targets of two jobs, whose metrics come, go and change. */
const dataOf = (
  { series, by = ['__address__'], everywhere = [] }: Omit<Case, 'safe' | 'why'>,
  random: () => number,
): readonly Series[] => {
  const metrics = series.split(';').map(metricOf)
  return targetsOf(random).flatMap((target) => {
    const bucket = bucketOf(target, by, SHARDS.length)
    const shards = everywhere.includes(target.job) || bucket === null ? SHARDS : [bucket]
    return metrics
      .filter(({ job }) => job === undefined || job === target.job)
      .flatMap(({ name, labels, always }) =>
        labels
          .filter(() => always || random() > 0.06)
          .map((own) => ({
            name: `${name}${textOf({ job: target.job, instance: target.instance, namespace: target.namespace, ...own })}`,
            values: always ? `1x${MINUTES}` : valuesOf(random),
            shards,
          })),
      )
  })
}

const targetsOf = (random: () => number) =>
  [
    ['app', 'h1', 'h2', 'h3', 'h4'],
    ['db', 'h1', 'h2', 'h3'],
  ].flatMap(([job = '', ...instances]) =>
    instances.map((instance) => ({
      // The address decides the shard, so each data set has others.
      __address__: `${instance}-${Math.floor(random() * 1e6)}:${job === 'app' ? 9100 : 9200}`,
      job,
      instance,
      namespace: ['red', 'blue', 'green'][Math.floor(random() * 3)] ?? 'red',
    })),
  )

interface Metric {
  readonly name: string
  readonly job?: string
  readonly labels: readonly Readonly<Record<string, string>>[]
  readonly always: boolean
}

const metricOf = (text: string): Metric => {
  const [head = '', ...labels] = text.trim().split(' ')
  const [, name = '', value, job] = /^([^@=]+)(=1)?(?:@(.+))?$/.exec(head) ?? []
  const sets = labels.reduce<readonly Readonly<Record<string, string>>[]>(
    (all, label) => {
      const [key = '', values = ''] = label.split('=')
      return all.flatMap((one) => values.split('|').map((each) => ({ ...one, [key]: each })))
    },
    [{}],
  )
  return { name, job, labels: sets, always: value !== undefined }
}

/** Small whole numbers, so that sums are exact whatever their order, and gaps. */
export const valuesOf = (random: () => number): string => {
  let now = Math.floor(random() * 3)
  return Array.from({ length: MINUTES + 1 }, () => {
    if (random() < 0.35) now = Math.floor(random() * 3)
    return random() < 0.04 ? '_' : now
  }).join(' ')
}

export const textOf = (labels: Readonly<Record<string, string>>): string =>
  `{${Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(',')}}`

/** One test for promtool. It expects nothing, so that promtool says what there is, and `vector(N)` says which test it was. */
const testOf = (series: readonly Series[], shard: number | undefined, number: number) => ({
  interval: '1m',
  input_series: series
    .filter(({ shards }) => shard === undefined || shards.includes(shard))
    .map(({ name, values }) => ({ series: name, values })),
  promql_expr_test: [
    { expr: `vector(${number})`, eval_time: '0m' },
    ...ASKED.flatMap((minute) => QUERIES.map((expr) => ({ expr, eval_time: `${minute}m` }))),
  ],
})

/** Samples by test, and in it by query, time and labels. */
type Answers = ReadonlyMap<number, ReadonlyMap<string, string>>

const answersOf = (said: string): Answers => {
  const answers = new Map<number, Map<string, string>>()
  let current = new Map<string, string>()
  let asked = ''
  for (const line of said.split('\n')) {
    const question = /^\s*expr: "(.*)", time: (\S+),/.exec(line)
    if (question) {
      asked = `${question[1]} at ${question[2]}`
      const number = /^vector\((\d+)\)$/.exec(question[1] ?? '')?.[1]
      if (number !== undefined) {
        current = new Map()
        answers.set(Number(number), current)
      }
    }
    const got = /^\s*got: (.*)$/.exec(line)?.[1]
    if (got === undefined || got === 'nil' || asked.startsWith('vector(')) continue
    for (const [, labels = '', value = ''] of got.matchAll(/(\{(?:"(?:[^"\\]|\\.)*"|[^}"])*\}) (\S+?)(?=, \{|$)/g))
      current.set(`${asked} ${labels}`, value)
  }
  return answers
}

const compared = (answers: Answers, seeds: readonly number[]): Outcome => {
  const differing: number[] = []
  let [evaluated, telling] = [0, 0]
  let first: string | undefined
  for (const [at, seed] of seeds.entries()) {
    const number = at * (SHARDS.length + 1)
    const whole = answers.get(number)
    if (!whole) continue
    evaluated++
    if (whole.size > 0) telling++
    const difference = differenceOf(
      whole,
      SHARDS.map((shard) => answers.get(number + 1 + shard)),
    )
    if (difference === undefined) continue
    differing.push(seed)
    first ??= `data set ${seed}: ${difference}`
  }
  return { evaluated, telling, differing, first }
}

const differenceOf = (
  whole: ReadonlyMap<string, string>,
  shards: readonly (ReadonlyMap<string, string> | undefined)[],
): string | undefined => {
  if (shards.includes(undefined)) return 'a shard failed to evaluate what one server could'
  const all = shards.flatMap((one) => [...(one ?? [])])
  for (const [key, value] of all)
    if (!alike(whole.get(key), value))
      return `${key} is ${value} on a shard, ${whole.get(key) ?? 'nothing'} on one server`
  const had = new Set(all.map(([key]) => key))
  const missing = [...whole].find(([key]) => !had.has(key))
  return missing && `${missing[0]} is ${missing[1]} on one server, and on no shard`
}

/** The same but for the last bits, which depend on the order of a sum. */
const alike = (one: string | undefined, other: string): boolean =>
  one === other || (one !== undefined && Math.abs(Number(one) - Number(other)) <= 1e-9 * Math.abs(Number(other)))

/** Random numbers from 0 to 1, the same for the same seed (mulberry32). */
export const randomOf = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
