import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { InputError, type Mistake } from '../../lib/errors.ts'
import type { Host, Inventory, Scope } from '../../lib/model.ts'
import { webOn } from '../../lib/program/certified.ts'
import { filesOf, jinjaBlocks } from '../../lib/program/inventory-folder.ts'
import { inFileOrder } from '../../lib/role.ts'
import { alertmanager } from '../alertmanager/role.ts'
import { ringCanaryOf } from '../prometheus/targets.ts'
import { WEB as PROMETHEUS, prometheusOn } from '../prometheus/vars.ts'
import { teamFile } from './team-file.ts'
import type { RulesVars } from './vars.ts'

/** The folder of the rule files on a host. */
export const rulesFolder = (host: Host): string => `${webOn(host, PROMETHEUS).folder}/rules`

/**
 * The rule files of a host, whoever evaluates them: those that come with Vestal, the inventory's and what follows from its teams. Throws
 * InputError where a folder or file cannot be read, holds no groups, or two files would have one name. The same list for hosts with the same rules.
 */
export const allRuleFiles = (scope: Scope<RulesVars>): readonly RuleFile[] => {
  const files = ownFiles(scope)
  const teams = teamFile(scope)
  if (teams === undefined) return files
  const known = withTeams.get(files) ?? new Map<string, readonly RuleFile[]>()
  withTeams.set(files, known)
  const all = known.get(teams) ?? [...files, { name: 'vestal-teams.yml', path: 'teams', text: teams, groups: 1 }]
  known.set(teams, all)
  return all
}
const withTeams = new WeakMap<readonly RuleFile[], Map<string, readonly RuleFile[]>>()

export interface RuleFile {
  /** On the host, below the folder of rules. */
  readonly name: string
  /** On the controller. */
  readonly path: string
  readonly text: string
  readonly groups: number
  /** Its rules are about the server that evaluates them. */
  readonly ofEachServer?: boolean
}

/** The rule files of a host without what follows from teams. Throws InputError as `allRuleFiles` does, but for the teams' files. */
export const ownFiles = ({ host, vars, inventory, group }: Scope<RulesVars>): readonly RuleFile[] => {
  const canary =
    group('alertmanager').some((host) => alertmanager.varsOf(host).canary.enabled) ||
    group('prometheus').some((host) => ringCanaryOf({ vars: prometheusOn(host), group }))
  const heartbeats = group('alertmanager').some((host) => alertmanager.varsOf(host).heartbeats)
  const key = JSON.stringify([vars, canary, heartbeats])
  const known = read.get(inventory)?.get(key)
  if (known) return known
  const files = [
    ...shipped(inventory, vars, { canary, heartbeats }),
    ...vars.folders.flatMap((folder) => ruleFolder(inventory, folder, 'rules.folders')),
  ]
  const mistakes = clashes(files, rulesFolder(host))
  if (mistakes.length > 0) throw new InputError(mistakes)
  read.set(inventory, (read.get(inventory) ?? new Map()).set(key, files))
  return files
}

/** An inventory's folders are read once: every replica has the same rules. */
const read = new WeakMap<Inventory, Map<string, readonly RuleFile[]>>()

const shipped = (
  { roles }: Inventory,
  { self_monitoring, watchdog, generic }: RulesVars,
  { canary, heartbeats }: { readonly canary: boolean; readonly heartbeats: boolean },
): readonly RuleFile[] => {
  const ours = (name: string) => ({ name, file: new URL(`files/${name}.yml`, import.meta.url) })
  return [
    ...(watchdog ? [ours('watchdog')] : []),
    ...(canary ? [ours('canary')] : []),
    ...(heartbeats ? [ours('path')] : []),
    ...(self_monitoring ? inFileOrder(roles).flatMap(({ alerts }) => alerts ?? []) : []),
    ...(generic ? [ours('generic')] : []),
  ].map(({ name, file: url }) => {
    const path = fileURLToPath(url)
    return {
      name: `vestal-${name}.yml`,
      path,
      text: readFileSync(path, 'utf8'),
      groups: 1,
      ofEachServer: name === 'canary' || name === 'path',
    }
  })
}

/** The rule files of a folder. Throws InputError, with what named the folder, where it can't be read or a file has no groups. */
export const ruleFolder = (
  inventory: Pick<Inventory, 'folder'>,
  folder: string,
  setting: string,
): readonly RuleFile[] => {
  const found = filesOf(inventory, { folder, endings: ['.yml', '.yaml', '.rules'], setting })
  const read = found.map((one) => ({
    ...one,
    name: one.name.replace(/\.(yaml|rules)$/, '.yml'),
    content: contentOf(one.path, one.text),
  }))
  const mistakes = [
    ...found.flatMap(({ path, text }) => jinjaBlocks(path, text)),
    ...read.flatMap(({ content }) => ('mistake' in content ? [content.mistake] : [])),
  ]
  if (mistakes.length === 0 && !read.some(({ content }) => 'rules' in content && content.rules > 0))
    mistakes.push({
      where: resolve(inventory.folder, folder),
      path: setting,
      what: 'no rule is in this folder',
      fix: 'Rules stand in files that end in .yml, .yaml or .rules; take the folder out of the setting if there are none.',
    })
  if (mistakes.length > 0) throw new InputError(mistakes)
  return read.flatMap(({ content, ...one }) => ('groups' in content ? [{ ...one, groups: content.groups }] : []))
}

/** How many groups and rules a rule file has; unit tests of rules, which mixins bring along, are neither rules nor a mistake. */
const contentOf = (
  path: string,
  text: string,
): { groups: number; rules: number } | { tests: true } | { mistake: Mistake } => {
  try {
    const content: unknown = parse(text)
    if (typeof content === 'object' && content !== null) {
      if ('tests' in content) return { tests: true }
      if ('groups' in content && Array.isArray(content.groups))
        return { groups: content.groups.length, rules: rulesIn(content.groups) }
    }
    return {
      mistake: {
        where: path,
        what: 'is no rule file: it has no list of `groups:` at its top',
        fix: 'Move it out of the folder of rules, or give it another ending than .yml, .yaml and .rules.',
      },
    }
  } catch (error) {
    return { mistake: { where: path, what: error instanceof Error ? error.message : String(error) } }
  }
}

const rulesIn = (groups: readonly unknown[]): number =>
  groups.reduce<number>((sum, group) => {
    const rules = typeof group === 'object' && group !== null ? Reflect.get(group, 'rules') : undefined
    return sum + (Array.isArray(rules) ? rules.length : 0)
  }, 0)

const clashes = (files: readonly RuleFile[], folder: string): readonly Mistake[] =>
  [...Map.groupBy(files, ({ name }) => name)]
    .filter(([, same]) => same.length > 1)
    .map(([name, same]) => ({
      where: same[1]?.path ?? name,
      what: `would be ${folder}/${name} on the host, and so would ${same[0]?.path}`,
      fix: 'Rename one of them.',
    }))
