import { InputError } from '../../lib/errors.ts'
import type { Host, Inventory, Scope } from '../../lib/model.ts'
import { settingsOf } from '../../lib/role.ts'
import type { Verdict } from '../../lib/sharding/rules/lint.ts'
import type { Rule } from '../../lib/sharding/rules/rule-file.ts'
import { lintFiles, type SplitRules, splitRules } from '../../lib/sharding/rules/rule-files.ts'
import { type Scrape, shardingOfScrapes } from '../../lib/sharding/rules/scrapes.ts'
import type { Sharding } from '../../lib/sharding/rules/sharding.ts'
import { CANARY_JOB } from '../prometheus/canary.ts'
import { replicasOf, shardingOf } from '../prometheus/shards.ts'
import { jobsOf, SCRAPED_EVERYWHERE } from '../prometheus/targets.ts'
import { prometheusOn } from '../prometheus/vars.ts'
import { ruleOn } from '../thanos-rule/vars.ts'
import { allRuleFiles, type RuleFile, ruleFolder } from './files.ts'
import { type RulesVars, rulesVars } from './vars.ts'

/** The group of the hosts that evaluate rules over all shards. */
const GLOBAL_TIER = 'thanos_rule'
/** The job that every shard scrapes. */
const ALERTMANAGERS = 'alertmanager'
const rulesOn = settingsOf('rules', rulesVars)

/**
 * The rule files that a Prometheus evaluates: all of them, or those parts that a shard can evaluate alone. Throws InputError where one cannot be
 * read, and where a rule needs all shards and no host evaluates rules over them.
 */
export const ownRules = (scope: Scope<RulesVars>): readonly RuleFile[] => {
  const files = allRuleFiles(scope)
  if (!isSpread(scope.inventory)) return files
  const { shard, verdicts } = placed(files, scope)
  if (globalTier(scope.inventory).length === 0) blameGlobal(verdicts)
  return shard
}

/**
 * The rule files for those who evaluate rules over all shards: what no shard can evaluate alone. None where targets are not spread. Throws
 * InputError as `ownRules` does, and where the hosts of Prometheus have different rules.
 */
export const globalRules = (inventory: Inventory): readonly RuleFile[] => {
  if (!isSpread(inventory)) return []
  const files = scraping(inventory).flatMap((host) => {
    const scope = rulesScope(host, inventory)
    return placed(allRuleFiles(scope), scope).global
  })
  const different = [...new Map(files.map((one) => [JSON.stringify([one.name, one.text]), one])).values()]
  const mistakes = [...Map.groupBy(different, ({ name }) => name)]
    .filter(([, same]) => same.length > 1)
    .map(([name, same]) => ({
      where: same[0]?.path ?? name,
      what: 'has rules that need all shards, and is not the same on all Prometheus hosts',
      fix: 'Set `rules` for the group prometheus.',
    }))
  if (mistakes.length > 0) throw new InputError(mistakes)
  return different
}

/**
 * How an inventory's targets are spread, as its rules must take it: by these labels, by those of its table or settings, or by their address. Throws
 * InputError as the prometheus role does, and for a table with mistakes.
 */
export const rulesSharding = (
  inventory: Inventory,
  labels = shardingOf(inventory)?.labels ?? ['__address__'],
): Sharding => {
  const hosts = scraping(inventory)
  const scrapes = hosts.flatMap((host) => scrapesOf(host, inventory))
  const different = new Map(scrapes.map((one) => [JSON.stringify([one.name, one.config]), one]))
  const own = hosts.map(prometheusOn).flatMap(({ shard_label, replica_label }) => [shard_label, replica_label])
  const trusted = hosts.flatMap((host) => rulesOn(host).trusted_jobs)
  return shardingOfScrapes([...different.values()], { labels, own, trusted })
}

/** The verdict on every rule of an inventory; one that several hosts have is judged once. Throws InputError where a rule can't be read. */
export const lintInventory = (inventory: Inventory, sharding: Sharding): readonly Verdict[] => {
  const sets = scraping(inventory).map((host) => {
    const scope = rulesScope(host, inventory)
    return { vars: scope.vars, files: allRuleFiles(scope) }
  })
  const different = new Map(sets.map((one) => [JSON.stringify(one), one]))
  const verdicts = [...different.values()].flatMap(({ files, vars }) =>
    lintFiles([...files, ...rulersRules(inventory)], sharding, saidOf(files, vars)),
  )
  return [...new Map(verdicts.map((one) => [JSON.stringify([one.rule.file, one.rule.at]), one])).values()]
}

/** The hosts that evaluate rules over all shards. */
export const globalTier = (inventory: Inventory): readonly Host[] => groupOf(inventory)(GLOBAL_TIER)

/** Whether no Prometheus has all targets. */
const isSpread = (inventory: Inventory): boolean => shardingOf(inventory) !== null && replicasOf(inventory).size > 1

const placed = (files: readonly RuleFile[], { inventory, vars }: Scope<RulesVars>): SplitRules<RuleFile> => {
  const before = known.get(files)
  if (before) return before
  const others = rulersRules(inventory)
  const split = splitRules([...files, ...others], rulesSharding(inventory), saidOf(files, vars))
  const now = { ...split, global: split.global.filter((one) => !others.includes(one)) }
  known.set(files, now)
  return now
}

/** Judged once: hosts with the same rules have the same list of them. */
const known = new WeakMap<readonly RuleFile[], SplitRules<RuleFile>>()

/** Where rules are evaluated whatever the verdict is: on every shard what an operator says, over all shards what only a ruler has. */
const saidOf = (
  files: readonly RuleFile[],
  { on_every_shard }: RulesVars,
): ((rule: Rule) => Verdict['place'] | undefined) => {
  const own = new Set(files.filter(({ ofEachServer }) => ofEachServer).map(({ path }) => path))
  const all = new Set(files.map(({ path }) => path))
  return ({ file, name }) => {
    if (!all.has(file)) return 'global'
    return own.has(file) || on_every_shard.includes(name) ? 'shard' : undefined
  }
}

/** What only those evaluate who see all shards, whether or not a shard could. */
const rulersRules = (inventory: Inventory): readonly RuleFile[] => {
  const folders = new Set(globalTier(inventory).flatMap((host) => ruleOn(host).rules))
  return [...folders].flatMap((folder) => ruleFolder(inventory, folder, 'thanos_rule.rules'))
}

const blameGlobal = (verdicts: readonly Verdict[]): void => {
  const mistakes = verdicts
    .filter(({ place }) => place === 'global')
    .map(({ rule, reasons: [first] }) => ({
      where: first?.where ?? rule.where(0),
      path: rule.name,
      what: `needs all shards, and no host is in group ${GLOBAL_TIER}: ${first?.what}`,
      fix: 'Add such a host, or name the rule in rules.on_every_shard; vestal shards rules says more.',
    }))
  if (mistakes.length > 0) throw new InputError(mistakes)
}

const scraping = (inventory: Inventory): readonly Host[] => groupOf(inventory)('prometheus')

const rulesScope = (host: Host, inventory: Inventory): Scope<RulesVars> => ({
  host,
  vars: rulesOn(host),
  inventory,
  group: groupOf(inventory),
})

const groupOf =
  ({ hosts }: Inventory) =>
  (name: string): readonly Host[] =>
    hosts.filter(({ groups }) => groups.includes(name))

const scrapesOf = (host: Host, inventory: Inventory): readonly Scrape[] => {
  const vars = prometheusOn(host)
  const jobs = jobsOf({ host, vars, inventory, group: groupOf(inventory) })
  const others = vars.scrape_configs.map((config) => ({ name: config.job_name, config }))
  // An inventory without shards is judged as it would be with them.
  const alone = shardingOf(inventory) === null && vars.targets[ALERTMANAGERS] === undefined
  const judged = jobs
    .filter(({ name }) => name !== CANARY_JOB)
    .map((job) =>
      alone && job.name === ALERTMANAGERS ? { ...job, config: { ...job.config, ...SCRAPED_EVERYWHERE } } : job,
    )
  const all = [...judged, ...others]
  // What nobody scrapes is the same on all shards too: nothing.
  return all.some(({ name }) => name === ALERTMANAGERS)
    ? all
    : [...all, { name: ALERTMANAGERS, config: SCRAPED_EVERYWHERE, targets: [] }]
}
