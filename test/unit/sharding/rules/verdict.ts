import type { Verdict } from '../../../../lib/sharding/rules/lint.ts'
import { lintFiles } from '../../../../lib/sharding/rules/rule-files.ts'
import { shardingBy } from '../../../../lib/sharding/rules/sharding.ts'
import type { Case } from './cases.ts'

/** What the linter says of a case's rule. */
export const verdictOf = ({
  expr,
  after = [],
  labels,
  annotations,
  by = ['__address__'],
  everywhere = [],
}: Omit<Case, 'safe' | 'why'>): Verdict => {
  const rules = [...after, { alert: 'Tested', expr, labels, annotations }]
  const text = JSON.stringify({ groups: [{ name: 'g', rules }] })
  const verdicts = lintFiles([{ path: 'rules.yml', text }], shardingBy(by, { everywhere: new Set(everywhere) }))
  const last = verdicts.at(-1)
  if (!last) throw new Error('no verdict')
  return last
}
