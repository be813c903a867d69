import { type Fault, powerLost } from '../../lib/drill/fault.ts'
import type { DrillFleet } from '../../lib/drill/scenario.ts'
import type { Host } from '../../lib/model.ts'

/** In a lab its power; elsewhere, as nothing on it could undo that, the services it is about. */
export const machineLost = ({ lab }: DrillFleet, host: Host, services: readonly Fault[]): readonly Fault[] =>
  lab === undefined ? services : [powerLost(host)]
