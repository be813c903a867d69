import type { ChangeFault } from '../../lib/drill/fault.ts'
import type { DrillFleet, DrillService } from '../../lib/drill/scenario.ts'

/** A machine leaves the fleet, as `remove-node` does it, and joins it again, as `add-node` does. */
export const leavesAndJoins = ({ host }: DrillService, { prometheus, alertmanagers }: DrillFleet): ChangeFault => ({
  kind: 'change',
  name: `${host.name} leaves the fleet`,
  host,
  takes: 'machine',
  // Two that are left are few for good, and enough for a drill: the last one is refused before.
  commands: [['remove-node', host.name, '--force']],
  undo: [['add-node', host.name, '--host', host.link.address, '--group', host.groups.join(',')]],
  // The others learn of it by a reload, or by a restart of one after the other.
  touches: [...new Set([host, ...[...prometheus, ...alertmanagers].map((one) => one.host)])],
})
