/** Whether the fleet serves, asked of the fleet itself: the same questions whatever has deployed it. */
import { join } from 'node:path'
import { addressesOf, type Fleet } from './fleets.ts'
import { type Bench, ran } from './inside.ts'

export interface EndState {
  readonly prometheus: readonly {
    readonly version: string
    readonly targetsUp: number
    readonly alertmanagers: number
    readonly rules: readonly string[]
  }[]
  readonly alertmanager: readonly {
    readonly version: string
    readonly members: number
    readonly receivers: readonly string[]
  }[]
  readonly nodeExporter: readonly { readonly version: string }[]
}

export interface Served {
  readonly state: EndState
  /** How long it took, after the tool had ended, until all of it served. */
  readonly afterMs: number
}

/** Waits until every target is up and all Alertmanagers are members of one cluster. Throws an Error that says what is missing after two minutes. */
export const servedBy = async (bench: Bench, fleet: Fleet): Promise<Served> => {
  const groups = ['prometheus', 'alertmanager', 'node_exporter'].map((group) => addressesOf(fleet, group))
  const argv = [process.execPath, join(import.meta.dirname, 'ask-fleet.ts'), JSON.stringify(groups)]
  const { stdout, wallMs } = await ran(bench, { name: 'end-state', argv })
  return { state: JSON.parse(stdout), afterMs: wallMs }
}
