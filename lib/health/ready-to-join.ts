import { HostError } from '../errors.ts'
import type { Connection, Host, Inventory } from '../model.ts'
import { findingsOf } from './finding.ts'
import { hostRules } from './host-checks.ts'
import { needsOf } from './requirements.ts'
import { surveyHost } from './survey.ts'

/** What a machine must be before it joins; the other checks of hosts are about what it has to do there. */
const BEFORE_JOINING = hostRules.filter(({ id }) => ['sudo', 'systemd', 'architecture', 'port-taken'].includes(id))

/**
 * A machine that is to join: it can be reached, scripts run there as root, it is what the inventory says, systemd runs, and the ports of
 * its roles are free, or ours. Changes nothing. Throws HostError, as `connect` does, for the first kind of thing that isn't so.
 */
export const requireReady = async (host: Host, inventory: Inventory, connection: Connection): Promise<void> => {
  const needs = needsOf(inventory, host)
  const survey = await surveyHost(connection, needs, { names: [] })
  const [first, ...rest] = findingsOf(BEFORE_JOINING, { hosts: [{ host, needs, survey }] })
  if (!first) return
  const what = [first, ...rest.filter(({ id }) => id === first.id)].map((one) => one.what).join('; ')
  throw new HostError(host.name, what, { task: 'check', hint: first.fix })
}
