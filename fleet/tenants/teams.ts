import { teamConfig } from '../../lib/routing/generate.ts'
import { loadTeams } from '../../lib/routing/load.ts'
import type { Team } from '../../lib/routing/team.ts'
import type { TenantConfig } from './tenant.ts'

/** A team as a tenant: the configuration that tells its people, and where it was written. */
export interface TeamTenant {
  readonly name: string
  readonly config: TenantConfig
  readonly where: string
}

/**
 * The teams of a folder, each as a tenant of its name. All alerts of the tenant are the team's: what it owns counts where alerts are given
 * to teams, not here. Throws InputError with all mistakes in the files of the teams.
 */
export const tenantsOfTeams = (
  folder: string,
  { label, env }: { readonly label: string; readonly env: NodeJS.ProcessEnv },
): readonly TeamTenant[] =>
  loadTeams(folder, { label, intervals: [], env }).teams.map((team) => ({
    name: team.name,
    config: configOf(team, label),
    where: team.where([]),
  }))

/** Alertmanager 0.31, which Cortex 1.21 has inside. */
const VERSION = '0.31.0'

/** Hours and mute times can't stand at the root of a tree, so the team's route is the one below it. */
const configOf = (team: Team, label: string): TenantConfig => {
  const { routes, receivers, timeIntervals } = teamConfig([{ ...team, isDefault: true }], {
    version: VERSION,
    label,
    // Cortex takes no files in the configuration of a tenant.
    secrets: null,
  })
  return {
    route: { receiver: routes[0]?.receiver, routes },
    receivers,
    ...(timeIntervals.length > 0 && { time_intervals: timeIntervals }),
  }
}
