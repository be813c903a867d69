import { expect, test } from 'vitest'
import type { LabelSet } from '../../../../lib/sharding/rules/label-set.ts'
import { type Case, cases } from './cases.ts'
import { verdictOf } from './verdict.ts'

const shown = ({ but, names }: LabelSet): Case['help'] => {
  const told = [...names].filter((name) => !['__name__', 'le', 'quantile'].includes(name)).sort()
  return but ? { but: told } : told.length === 0 ? 'never' : told
}

test.each(
  cases.map((one) => [`${one.safe ? 'safe' : 'unsafe'}${one.by ? ` by ${one.by}` : ''}: ${one.expr}`, one] as const),
)('%s', (_, one) => {
  const { safe, reasons, help } = verdictOf(one)
  expect([safe, reasons.length > 0], JSON.stringify(reasons)).toEqual([one.safe, !one.safe])
  if (one.help) expect(shown(help)).toEqual(one.help)
})

test('a rule is safe once targets are hashed by labels that it names', () => {
  const tried = cases.flatMap((one) => {
    const { safe, help } = verdictOf(one)
    if (safe || help.but) return []
    return [...help.names]
      .filter((name) => name !== '__name__' && name !== 'le')
      .map((name) => [one.expr, name, verdictOf({ ...one, by: [name] }).safe])
  })
  expect(tried.length).toBeGreaterThan(20)
  expect(tried.filter(([, , safe]) => !safe)).toEqual([])
})
