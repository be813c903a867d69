import { appendFileSync } from 'node:fs'
import { openContext } from '../../../cli/context.ts'
import { watchAlerts } from '../../../cli/watch-alerts.ts'
import { watchedFleet } from '../../../fleet/watched-fleet.ts'
import type { Endpoint } from '../../../lib/api/endpoint.ts'
import { readAuthority } from '../../../lib/certificates/authority.ts'
import type { WatchedFleet } from '../../../lib/ledger/fleet.ts'
import type { AlertsReport } from '../../../lib/model.ts'
import { runName } from '../../../lib/report/folder.ts'

/** Canary alerts that go on whatever commands are run meanwhile: one ledger for all of them, as the command line has one for each. */
export interface Canaries extends AsyncDisposable {
  /** How things stand. */
  sofar(): AlertsReport | undefined
  /** Sends no more, waits until all are over, and tells what became of them. */
  end(): Promise<AlertsReport>
}

/** Begins to send canary alerts through a fleet; returns once the first has come back. `events` is a file for every notification, and all else that is noted. */
export const canaries = async (inventory: string, events?: string): Promise<Canaries> => {
  const context = await openContext({ inventory: [inventory], acceptNewHostKeys: false })
  let last: AlertsReport | undefined
  const never = new AbortController().signal
  const ledger = watchAlerts(trustingAnew(watchedFleet(context.inventory), context.inventory.folder), {
    run: runName('soak', new Date(), Math.random()),
    connect: context.connect,
    emit(event) {
      if (event.event === 'alerts') last = event.alerts
    },
    record: (event) => {
      if (events !== undefined) appendFileSync(events, `${JSON.stringify(event)}\n`)
    },
    stop: never,
    abandon: never,
  })
  await ledger.begin()
  return {
    sofar: () => last,
    async end() {
      const { alerts } = await ledger.end()
      return alerts
    },
    async [Symbol.asyncDispose]() {
      await ledger[Symbol.asyncDispose]()
      await context[Symbol.asyncDispose]()
    },
  }
}

/** A fleet whose authority is exchanged meanwhile: each request trusts whom the inventory trusts by then. */
const trustingAnew = ({ alertmanagers, entries, ...rest }: WatchedFleet, folder: string): WatchedFleet => {
  const anew = (endpoint: Endpoint): Endpoint =>
    endpoint.trust
      ? {
          ...endpoint,
          trust: {
            ...endpoint.trust,
            get authority() {
              return readAuthority({ folder })?.bundle ?? ''
            },
          },
        }
      : endpoint
  return {
    ...rest,
    alertmanagers: alertmanagers.map((one) => ({ ...one, endpoint: anew(one.endpoint) })),
    entries: entries.map((one) => ({ ...one, prometheus: one.prometheus.map(anew) })),
  }
}
