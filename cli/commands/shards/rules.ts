import { relative } from 'node:path'
import { InputError } from '../../../lib/errors.ts'
import type { Inventory } from '../../../lib/model.ts'
import { paint } from '../../../lib/report/paint.ts'
import { print } from '../../../lib/report/print.ts'
import { helpfulLabels } from '../../../lib/sharding/rules/help.ts'
import type { Verdict } from '../../../lib/sharding/rules/lint.ts'
import { lintFiles } from '../../../lib/sharding/rules/rule-files.ts'
import { type Sharding, shardingBy } from '../../../lib/sharding/rules/sharding.ts'
import { counted, listed } from '../../../lib/wording.ts'
import { ruleFolder } from '../../../roles/rules/files.ts'
import { globalTier, lintInventory, rulesSharding } from '../../../roles/rules/placement.ts'
import type { ShardsFlags } from './flags.ts'

/**
 * Says of each rule whether a shard can evaluate it alone, why not, and where targets would have to be hashed by something else. Asks no machine.
 * Exit code 1 where a rule has no place: it needs all shards, and nobody evaluates rules over all of them. Throws InputError for rules that
 * can't be read.
 */
export const rulesOfShards = (inventory: Inventory | undefined, flags: ShardsFlags): number => {
  if (!inventory && flags.rules === undefined)
    throw new InputError([
      {
        where: '--inventory',
        what: 'is missing',
        fix: 'Name an inventory with -i, or a folder of rules with --rules.',
      },
    ])
  const labels = flags.labels?.length ? flags.labels : undefined
  const sharding = inventory ? rulesSharding(inventory, labels) : shardingBy(labels ?? ['__address__'])
  const verdicts =
    flags.rules === undefined && inventory
      ? lintInventory(inventory, sharding)
      : lintFiles(ruleFolder({ folder: process.cwd() }, flags.rules ?? '.', '--rules'), sharding)
  const evaluators = inventory ? globalTier(inventory).map(({ name }) => name) : []
  print(
    flags.json
      ? JSON.stringify(asJson(verdicts, { sharding, evaluators }), null, 2)
      : asText(verdicts, { sharding, evaluators, verbose: flags.verbose }),
  )
  return verdicts.every(({ place }) => place === 'shard') || evaluators.length > 0 ? 0 : 1
}

interface RuleTiers {
  readonly sharding: Sharding
  /** Who evaluates rules over all shards. */
  readonly evaluators: readonly string[]
}

const asJson = (verdicts: readonly Verdict[], { sharding, evaluators }: RuleTiers) => ({
  vestal: 'shards-rules/1',
  labels: sharding.labels,
  everywhere: [...sharding.everywhere],
  doubts: [...new Set(sharding.doubts.values())],
  globalTier: evaluators,
  rules: verdicts.map(({ rule, safe, place, reasons, help }) => ({
    file: shortened(rule.file),
    line: rule.line,
    group: rule.group,
    [rule.kind]: rule.name,
    safe,
    place,
    reasons: reasons.map(({ where, what }) => ({ where: shortened(where), what: fromHere(what) })),
    ...(!safe && { safeBy: helpfulLabels(help) }),
  })),
})

const asText = (
  verdicts: readonly Verdict[],
  { sharding, evaluators, verbose }: RuleTiers & { readonly verbose: boolean },
): string => {
  const global = verdicts.filter(({ place }) => place === 'global')
  const some = verbose ? verdicts : global
  const files = [...Map.groupBy(some, ({ rule }) => rule.file)].flatMap(([file, list]) => [
    paint('bold', shortened(file)),
    ...list.flatMap(ruleText),
    '',
  ])
  const tier =
    evaluators.length > 0
      ? `evaluated over all shards by ${listed(evaluators)}`
      : 'which nobody evaluates: the inventory has no host in group thanos_rule'
  return [
    ...files,
    `Targets are hashed by ${sharding.labels.join(', ')}.`,
    ...[...new Set(sharding.doubts.values())].map(
      (doubt) => `In doubt: ${doubt} (rules.trusted_jobs says that they don’t).`,
    ),
    `${counted(verdicts.length, 'rule')}: ${verdicts.length - global.length} for every shard${global.length > 0 ? `, ${global.length} that need${global.length === 1 ? 's' : ''} all shards, ${tier}` : ''}.`,
  ].join('\n')
}

const ruleText = ({ rule, safe, place, reasons, help }: Verdict): readonly string[] => [
  `  ${place === 'shard' ? paint('green', 'shard ') : paint('yellow', 'global')}  ${rule.name}`,
  ...reasons.map(({ where, what }) => `      ${shortened(where)}: ${fromHere(what)}`),
  ...(place === 'global'
    ? [`      ${helpText(help)}`]
    : safe
      ? []
      : ['      It is evaluated on every shard all the same.']),
]

const helpText = (help: Verdict['help']): string => {
  const labels = helpfulLabels(help)
  if (labels === null) return 'No labels would make it safe.'
  if ('anyBut' in labels)
    return `Safe where targets are hashed by any labels of theirs but ${labels.anyBut.join(', ')}.`
  return labels.anyOf.length === 1
    ? `Safe where targets are hashed by ${labels.anyOf[0]}, a label of theirs.`
    : `Safe where targets are hashed by labels of theirs among ${labels.anyOf.join(', ')}.`
}

/** A text with paths as one would type them here. */
const fromHere = (text: string): string => text.replaceAll(`${process.cwd()}/`, '')

/** A path as one would type it here. */
const shortened = (path: string): string => {
  const here = relative(process.cwd(), path)
  return here.startsWith('..') || here === '' ? path : here
}
