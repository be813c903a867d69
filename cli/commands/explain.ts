import type { Argv } from 'yargs'
import { factsOf } from '../../fleet/explain/ask.ts'
import { type Explanation, explain } from '../../fleet/explain/explain.ts'
import type { Cause } from '../../fleet/explain/facts.ts'
import { InputError } from '../../lib/errors.ts'
import { onOneLine, print } from '../../lib/report/print.ts'
import { labelsText } from '../../lib/routing/cases.ts'
import { type Matcher, MatcherError, matcher } from '../../lib/routing/matcher.ts'
import { parseMatchers } from '../../lib/routing/parse-matchers.ts'
import { command } from '../command.ts'
import { inLab, openContext } from '../context.ts'
import { type CommonFlags, commonOptions } from '../options.ts'

interface ExplainFlags extends CommonFlags {
  readonly alert: string
}

/** Says why an alert was notified to nobody, or twice. Exit code 1 where a cause was found. Throws InputError for what is neither a name nor matchers. */
const why = async (flags: ExplainFlags): Promise<number> => {
  const matchers = matchersOf(flags.alert)
  await using context = await openContext(flags)
  const { hosts, pool, redacted } = context
  const inside = await inLab(hosts)
  if (inside !== null) return inside
  const facts = await factsOf(hosts, pool.reach)
  const found = redacted(explain(matchers, facts))
  const silent = redacted(facts.silent)
  if (flags.json) print(JSON.stringify({ vestal: 'explain/1', alert: flags.alert, silent, ...found }, null, 2))
  else {
    for (const one of silent) print(onOneLine(`${one.host}: its ${one.service} does not answer: ${one.why}`))
    for (const line of linesOf(found)) print(onOneLine(line))
  }
  return [...found.causes, ...found.alerts.flatMap(({ causes }) => causes)].some(({ effect }) => effect !== 'fine')
    ? 1
    : 0
}

const matchersOf = (text: string): readonly Matcher[] => {
  if (/^[\p{L}_][\p{L}\p{N}_:.-]*$/u.test(text)) return [matcher('alertname', '=', text)]
  try {
    const found = parseMatchers(text)
    if (found.length > 0) return found
  } catch (error) {
    if (!(error instanceof MatcherError)) throw error
  }
  throw new InputError([
    {
      where: 'ALERT',
      what: `${text} is neither a name nor matchers`,
      fix: `write HighLatency, or 'alertname="HighLatency",service="pay"'`,
    },
  ])
}

const EFFECT = { nobody: 'nobody is notified', twice: 'may be notified twice', fine: 'is notified' } as const
const linesOf = ({ causes, alerts }: Explanation): readonly string[] => {
  const lines = (some: readonly Cause[]): readonly string[] =>
    some.map(({ id, effect, what, fix }) => `  ${EFFECT[effect]} (${id}): ${what}. ${fix}`)
  return [...lines(causes), ...alerts.flatMap((one) => [labelsText(one.labels), ...lines(one.causes)])]
}

export default command({
  name: 'explain',
  positionals: '<alert>',
  summary: 'Why was nobody notified of an alert, or somebody twice?',
  examples: ['vestal explain HighLatency -i inventory/ha', `vestal explain 'service="pay"' -i inventory/ha --json`],
  options: (args: Argv) =>
    commonOptions(args).positional('alert', {
      type: 'string',
      demandOption: true,
      describe: `Its name, or matchers: 'alertname="HighLatency",service="pay"'`,
    }),
  run: why,
})
