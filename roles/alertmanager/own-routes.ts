import type { Inventory } from '../../lib/model.ts'
import { withCanary } from './canary.ts'
import { pathsOf, withHeartbeats } from './heartbeats.ts'
import type { AlertmanagerVars } from './vars.ts'

/** The configuration with the routes of Vestal's own alerts in front of all others. */
export const withOwnRoutes = (
  config: AlertmanagerVars['config'],
  inventory: Pick<Inventory, 'hosts'>,
  { heartbeats, canary }: Pick<AlertmanagerVars, 'heartbeats' | 'canary'>,
): AlertmanagerVars['config'] => withCanary(withHeartbeats(config, heartbeats, pathsOf(inventory)), canary)
