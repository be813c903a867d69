import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import compare from 'semver/functions/compare.js'
import { InputError } from '../../lib/errors.ts'
import { hide } from '../../lib/inventory/hidden.ts'
import type { Host, Inventory } from '../../lib/model.ts'
import { onOneLine } from '../../lib/program/yaml-file.ts'
import { failedCases, type Routing } from '../../lib/routing/cases.ts'
import { type TeamConfig, teamConfig } from '../../lib/routing/generate.ts'
import { loadTeams } from '../../lib/routing/load.ts'
import { ownershipSteps } from '../../lib/routing/ownership.ts'
import { parseClassic, parseMatchers } from '../../lib/routing/parse-matchers.ts'
import { type AlertmanagerConfig, routerOf } from '../../lib/routing/routes.ts'
import type { Teams } from '../../lib/routing/team.ts'
import { escalationSteps } from '../../lib/routing/team-rules.ts'
import { SHIPPED_INHIBIT_RULES } from './inhibit.ts'
import { withOwnRoutes } from './own-routes.ts'
import type { AlertmanagerVars } from './vars.ts'

export const SECRETS = '/etc/alertmanager/secrets'

/** The teams of an inventory and what is generated from them for one Alertmanager. */
export interface TeamRouting extends Routing, Teams {
  /** The operator's configuration with that of the teams. */
  readonly config: AlertmanagerVars['config']
  readonly secretFiles: TeamConfig['secretFiles']
}

/**
 * What this Alertmanager's routing is made of; without a folder of teams the operator's configuration as it is. Throws InputError with
 * all mistakes in the files of the teams.
 */
export const teamRouting = (inventory: Inventory, host: Host, vars: AlertmanagerVars): TeamRouting => {
  const written = host.vars.alertmanager as object
  const known = made.get(inventory) ?? new Map<object, TeamRouting>()
  made.set(inventory, known)
  const found = known.get(written) ?? build(inventory, vars)
  known.set(written, found)
  return found
}

/** The same, with the cases of the teams run: throws InputError with each that fails, so that nothing is deployed. */
export const provenRouting = (inventory: Inventory, host: Host, vars: AlertmanagerVars): TeamRouting => {
  const routing = teamRouting(inventory, host, vars)
  if (proven.has(routing)) return routing
  const mistakes = failedCases(routing, routing.cases)
  if (mistakes.length > 0) throw new InputError(mistakes)
  proven.add(routing)
  return routing
}

/** Hosts that share their settings share what is made of them. */
const made = new WeakMap<Inventory, Map<object, TeamRouting>>()
const proven = new WeakSet<TeamRouting>()

const build = (inventory: Inventory, vars: AlertmanagerVars): TeamRouting => {
  const folder = folderOf(inventory, vars)
  const label = vars.teams === false ? 'team' : vars.teams.label
  const loaded: Teams = folder ? teamsIn(folder, vars) : { teams: [], cases: [] }
  const added = teamConfig(loaded.teams, { version: vars.version, label, secrets: SECRETS })
  const config = folder ? withTeams(vars.config, added) : vars.config
  hide(
    inventory,
    loaded.teams.map(({ receivers }) => receivers),
  )
  const parse = compare(vars.version, '0.27.0') < 0 ? parseClassic : parseMatchers
  let router: Routing['router'] | undefined
  return {
    ...loaded,
    config,
    secretFiles: added.secretFiles,
    label,
    steps: [...ownershipSteps(loaded.teams, label), ...escalationSteps(loaded.teams)].map(onOneLine),
    get router() {
      router ??= routerOf(withOwnRoutes(config, inventory, vars) as unknown as AlertmanagerConfig, parse)
      return router
    },
  }
}

const teamsIn = (folder: string, { config, teams }: AlertmanagerVars): Teams => {
  const label = teams === false ? 'team' : teams.label
  const named = [config.time_intervals, config.mute_time_intervals].flatMap((list) => (Array.isArray(list) ? list : []))
  return loadTeams(folder, { label, intervals: named.map((one: { name?: unknown }) => String(one.name)) })
}

/** null where there are no teams: turned off, or no folder of the usual name. */
const folderOf = (inventory: Inventory, { teams }: AlertmanagerVars): string | null => {
  if (teams === false) return null
  const folder = resolve(inventory.folder, teams.folder ?? 'teams')
  return teams.folder !== undefined || existsSync(folder) ? folder : null
}

/** The operator's own routes come first; then the teams', the default one last. */
const withTeams = (config: AlertmanagerVars['config'], added: TeamConfig): AlertmanagerVars['config'] => {
  const own = Array.isArray(config.route.routes) ? config.route.routes : []
  const intervals = Array.isArray(config.time_intervals) ? config.time_intervals : []
  const inhibits = Array.isArray(config.inhibit_rules) ? config.inhibit_rules : []
  return {
    ...config,
    route: { ...config.route, routes: [...own, ...added.routes.map(onOneLine)] },
    receivers: [...config.receivers, ...added.receivers.map(onOneLine)],
    inhibit_rules: [...inhibits, ...SHIPPED_INHIBIT_RULES],
    ...(intervals.length + added.timeIntervals.length > 0 && {
      time_intervals: [...intervals, ...added.timeIntervals],
    }),
  }
}
