/** Rules as nobody would write them, for whatever a table of rules has not thought of. */
import type { Case } from '../../unit/sharding/rules/cases.ts'

type Random = () => number

const LABELS = ['job', 'instance', 'namespace', 'slot']
const SERIES = 'one; two slot=x|y; three slot=y|z'
const SPREADS: readonly Pick<Case, 'by' | 'everywhere'>[] = [
  {},
  {},
  { by: ['namespace'] },
  { by: ['instance'] },
  { by: ['job'] },
  { by: ['namespace', 'instance'] },
  { everywhere: ['db'] },
  { by: ['namespace'], everywhere: ['db'] },
]

/** A rule with what it reads; its verdict is nobody's guess. */
export const randomRule = (random: Random): Omit<Case, 'safe' | 'why'> => {
  const words = wordsOf(random)
  const recorded = Array.from({ length: Math.floor(random() * 3) }, (_, at) => ({
    record: `made${Math.floor(random() * 2)}`,
    expr: words.vector(2),
    labels: { part: `${at}`, ...(random() < 0.15 && { [words.some(LABELS)]: 'written' }) },
  }))
  return {
    ...words.some(SPREADS),
    after: recorded,
    expr: words.vector(3, recorded.length > 0),
    labels: random() < 0.1 ? { [words.some(LABELS)]: 'written' } : {},
    series: SERIES,
  }
}

const wordsOf = (random: Random) => {
  const some = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T
  const labels = (): string => LABELS.filter(() => random() < 0.55).join(', ')
  const selector = (recorded: boolean): string => {
    const name = recorded && random() < 0.4 ? some(['made0', 'made1', 'ALERTS']) : some(['one', 'two', 'three'])
    const matchers = [
      ...(random() < 0.45 ? [`job=${some(['"app"', '"db"'])}`] : []),
      ...(random() < 0.1 ? [`instance="h1"`] : []),
      ...(random() < 0.25 ? [`slot${some(['=', '!='])}"y"`] : []),
      ...(name === 'ALERTS' ? ['alertname!="Tested"'] : []),
    ]
    return `${name}{${matchers.join(',')}}`
  }
  const group = (): string => some([`by (${labels()})`, `without (${labels()})`, 'by (job, instance)', ''])
  const vector = (depth: number, recorded = false): string => {
    const inner = () => vector(depth - 1, recorded)
    if (depth <= 0 || random() < 0.15) return selector(recorded)
    const key = () => `${some(['on', 'on', 'ignoring'])} (${some([labels(), 'job, instance', 'instance'])})`
    return some<() => string>([
      () => `${some(['sum', 'max', 'min', 'count', 'avg', 'group', 'stdvar'])} ${group()} (${inner()})`,
      () => `${some(['sum', 'max'])} by (job, instance, slot) (${inner()})`,
      () => `topk ${group()} (1, ${inner()})`,
      () => `count_values ${group()} ("${some(['value', 'instance', 'slot'])}", ${inner()})`,
      () => `(${inner()} ${some(['and', 'unless', 'or'])} ${some([key(), ''])} ${inner()})`,
      () => `(${inner()} ${some(['*', '+', '<', '>', '=='])} ${some([key(), '', ''])} ${inner()})`,
      () =>
        `(${inner()} ${some(['*', '<='])} ${key()} ${some(['group_left', 'group_right'])} () max by (${some(['instance', 'job, instance', labels()])}) (${inner()}))`,
      () => `(${inner()} ${some(['>', '==', '+'])} ${some(['0', '1', 'time()', `scalar(${inner()})`])})`,
      () => `label_replace(${inner()}, "${some([...LABELS, 'other'])}", "$1", "${some(LABELS)}", "(.*)")`,
      () => `${some(['max_over_time', 'rate', 'count_over_time', 'changes'])}(${selector(recorded)}[4m])`,
      () => `avg_over_time((${inner()})[4m:1m])`,
      () => `absent(${inner()})`,
      () => some(['vector(1)', 'vector(time())', `vector(scalar(${inner()}))`]),
    ])()
  }
  return { some, vector }
}
