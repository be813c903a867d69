/** Random data for rules of others, made of what their expressions look for. */

import type { Matcher } from '../../../lib/routing/matcher.ts'
import { patternOf } from '../../../lib/routing/regex/pattern.ts'
import { witness } from '../../../lib/routing/regex/witness.ts'
import { bucketOf } from '../../../lib/sharding/hash.ts'
import { type Expr, parsePromql } from '../../../lib/sharding/rules/promql.ts'
import { type Series, SHARDS, textOf, valuesOf } from './rule-experiment.ts'

/** Series for these expressions: of every job that they name, three targets, which expose every metric that they name with two sets of labels each. */
export const dataFor = (exprs: readonly string[], recorded: ReadonlySet<string>) => {
  const parsed = exprs.map((expr) => parsePromql(expr))
  const selectors = parsed.flatMap(selectorsOf)
  const metrics = [...new Set(selectors.flatMap((matchers) => nameOf(matchers) ?? []))].filter(
    (name) => !recorded.has(name),
  )
  const jobs = [...new Set(selectors.flatMap((matchers) => valuesIn(matchers, 'job')))]
  const labels = new Set([...parsed.flatMap(labelsOf), ...selectors.flat().map(({ name }) => name)])
  for (const own of ['__name__', 'job', 'instance', 'le']) labels.delete(own)
  const pools = [...labels].map((label) => [label, poolOf(label, selectors)] as const)
  return (random: () => number): readonly Series[] => {
    const some = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T
    return (jobs.length > 0 ? jobs : ['app']).flatMap((job) =>
      ['h1', 'h2', 'h3'].flatMap((instance) => {
        const shards = [
          bucketOf({ __address__: `${instance}-${random()}:${job}` }, ['__address__'], SHARDS.length) ?? 0,
        ]
        const sets = [1, 2].map(() => Object.fromEntries(pools.map(([label, pool]) => [label, some(pool)])))
        return metrics.flatMap((metric) =>
          sets.flatMap((set) =>
            (metric.endsWith('_bucket') ? BUCKETS : [{}])
              .filter(() => random() > 0.04)
              .map((bucket) => ({
                name: `${metric}${textOf({ job, instance, ...set, ...bucket })}`,
                values: scaled(valuesOf(random), random),
                shards,
              })),
          ),
        )
      }),
    )
  }
}

const BUCKETS = ['0.1', '1', '1.0', '+Inf'].map((le) => ({ le }))

/** Some stand still, and some are large: rules of others have thresholds. */
const scaled = (values: string, random: () => number): string => {
  const all = values.split(' ')
  if (random() < 0.25) return all.map((value) => (value === '_' ? value : '0')).join(' ')
  const factor = [1, 1, 50, 5000][Math.floor(random() * 4)] ?? 1
  return all.map((value) => (value === '_' ? value : Number(value) * factor)).join(' ')
}

const childrenOf = (expr: Expr): readonly Expr[] =>
  'args' in expr ? expr.args : expr.is === 'binary' ? [expr.left, expr.right] : []

const selectorsOf = (expr: Expr): readonly (readonly Matcher[])[] =>
  expr.is === 'selector' ? [expr.matchers] : childrenOf(expr).flatMap(selectorsOf)

const labelsOf = (expr: Expr): readonly string[] => [
  ...(expr.is === 'aggregate' ? expr.labels : []),
  ...(expr.is === 'binary' ? [...expr.match.labels, ...expr.match.include] : []),
  ...childrenOf(expr).flatMap(labelsOf),
]

const nameOf = (matchers: readonly Matcher[]): string | undefined =>
  matchers.find(({ name, operator }) => name === '__name__' && operator === '=')?.value

/** The values that a condition on a label names. */
const valuesIn = (matchers: readonly Matcher[], label: string): readonly string[] =>
  matchers
    .filter(({ name, operator }) => name === label && operator.startsWith('='))
    .flatMap(({ operator, value }) => {
      if (operator === '=') return [value]
      const pattern = patternOf(value)
      const words = value.replaceAll(/^\(|\)$/g, '').split('|')
      const plain = words.filter((word) => /^[\w/-]+$/.test(word) && pattern.test(word))
      const found =
        plain.length > 0
          ? null
          : witness([
              { pattern, must: true },
              { pattern: patternOf('.+'), must: true },
            ])
      return found === null ? plain : [found]
    })

/** Values of a label that some selector can find; more than one where none asks for one. */
const poolOf = (label: string, selectors: readonly (readonly Matcher[])[]): readonly string[] => {
  const asked = [...new Set(selectors.flatMap((matchers) => valuesIn(matchers, label)))]
  return asked.length > 0 ? asked : ['a', 'b']
}
