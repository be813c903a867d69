/**
 * Every verdict of the rule linter's table, by experiment: Prometheus's own promtool evaluates the rule over random data, whole and on three
 * shards. VESTAL_ROUNDS says how many data sets a rule called safe must be the same on, 3 if unset.
 */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Case, cases } from '../../unit/sharding/rules/cases.ts'
import { verdictOf } from '../../unit/sharding/rules/verdict.ts'
import { unpacked, versionsOf } from '../roles/binaries.ts'
import { randomRule } from './random-rules.ts'
import { experiment, randomOf } from './rule-experiment.ts'

const promtool = join(unpacked('prometheus', versionsOf('prometheus').at(-1) ?? ''), 'promtool')
const rounds = Number(process.env.VESTAL_ROUNDS ?? 3)
const seeds = (from: number, count: number) => Array.from({ length: count }, (_, at) => from + at)
const named = (safe: boolean) =>
  cases
    .filter((one) => one.safe === safe)
    .map((one): [string, Case] => [`${one.by ? `by ${one.by}: ` : ''}${one.expr}`, one])

test.each(named(true))('on three shards as on one server: %s', (_, one) => {
  const { evaluated, differing, first } = experiment(promtool, one, seeds(1, rounds))
  expect([differing, first]).toEqual([[], undefined])
  expect(evaluated).toBe(rounds)
})

/** Data sets are tried in batches, the first small, until one shows the difference. */
const BATCHES = [seeds(1, 2), seeds(3, 8), seeds(11, 30), seeds(41, 60)]

test.each(named(false))('otherwise on three shards than on one server, for some data: %s', (_, one) => {
  const shown = BATCHES.some((batch) => experiment(promtool, one, batch).differing.length > 0)
  expect(shown, one.why).toBe(true)
})

/** Of every three random rules about one is called safe, and few of those fail on one server. */
const DRAWN = 60 * rounds

test(`of ${DRAWN} rules drawn at random, those called safe are on three shards as on one server`, () => {
  const drawn = seeds(1, DRAWN).map((seed) => ({ seed, rule: randomRule(randomOf(seed)) }))
  const safe = drawn.filter(({ rule }) => verdictOf(rule).safe)
  const outcomes = safe.map(({ seed, rule }) => ({
    seed,
    rule,
    ...experiment(promtool, rule, [seed, seed + 1_000_000]),
  }))
  expect(outcomes.filter(({ differing }) => differing.length > 0)).toEqual([])
  expect(outcomes.filter(({ evaluated }) => evaluated > 0).length).toBeGreaterThan(DRAWN / 6)
})
