import type { Host, Inventory } from '../../lib/model.ts'
import { settingsOf } from '../../lib/role.ts'
import type { Verdict } from '../../lib/sharding/rules/lint.ts'
import type { Rule } from '../../lib/sharding/rules/rule-file.ts'
import { lintFiles } from '../../lib/sharding/rules/rule-files.ts'
import { type Scrape, shardingOfScrapes } from '../../lib/sharding/rules/scrapes.ts'
import type { Sharding } from '../../lib/sharding/rules/sharding.ts'
import { readTable } from '../../lib/sharding/table.ts'
import { jobsOf } from '../prometheus/targets.ts'
import { prometheusOn } from '../prometheus/vars.ts'
import { allRuleFiles, type RuleFile } from './files.ts'
import { type RulesVars, rulesVars } from './vars.ts'

/** The group of the hosts that evaluate rules over all shards. */
const GLOBAL_TIER = 'thanos_rule'
const rulesOn = settingsOf('rules', rulesVars)

/**
 * How an inventory's targets are spread, as its rules must take it: by these labels, or by those of its table. Throws InputError as the
 * prometheus role does, and for a table with mistakes.
 */
export const rulesSharding = (
  inventory: Inventory,
  labels = readTable(inventory.folder)?.labels ?? ['__address__'],
): Sharding => {
  const hosts = scraping(inventory)
  const scrapes = hosts.flatMap((host) => scrapesOf(host, inventory))
  const different = new Map(scrapes.map((one) => [JSON.stringify(one), one]))
  const trusted = hosts.flatMap((host) => rulesOn(host).trusted_jobs)
  return shardingOfScrapes([...different.values()], { labels, trusted })
}

/** The verdict on every rule of an inventory; one that several hosts have is judged once. Throws InputError where a rule can't be read. */
export const lintInventory = (inventory: Inventory, sharding: Sharding): readonly Verdict[] => {
  const sets = scraping(inventory).map((host) => {
    const vars = rulesOn(host)
    return { vars, files: allRuleFiles({ host, vars, inventory, group: groupOf(inventory) }) }
  })
  const different = new Map(sets.map((one) => [JSON.stringify(one), one]))
  const verdicts = [...different.values()].flatMap(({ files, vars }) =>
    lintFiles(files, sharding, wantedOf(files, vars)),
  )
  return [...new Map(verdicts.map((one) => [JSON.stringify([one.rule.file, one.rule.at]), one])).values()]
}

/** The rules that are evaluated on every shard, whatever the verdict is. */
const wantedOf = (files: readonly RuleFile[], { on_every_shard }: RulesVars): ((rule: Rule) => boolean) => {
  const own = new Set(files.filter(({ ofEachServer }) => ofEachServer).map(({ path }) => path))
  return ({ file, name }) => own.has(file) || on_every_shard.includes(name)
}

/** The hosts that evaluate rules over all shards. */
export const globalTier = (inventory: Inventory): readonly Host[] => groupOf(inventory)(GLOBAL_TIER)

const scraping = (inventory: Inventory): readonly Host[] => groupOf(inventory)('prometheus')

const groupOf =
  ({ hosts }: Inventory) =>
  (name: string): readonly Host[] =>
    hosts.filter(({ groups }) => groups.includes(name))

const scrapesOf = (host: Host, inventory: Inventory): readonly Scrape[] => {
  const vars = prometheusOn(host)
  return [
    ...jobsOf({ host, vars, inventory, group: groupOf(inventory) }),
    ...vars.scrape_configs.map((config) => ({ name: config.job_name, config })),
  ]
}
