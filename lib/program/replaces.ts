import { z } from 'zod'
import { absolutePath } from '../inventory/schema/fields.ts'
import { handedOver, SERVICE_UNIT } from '../kinds/handover.ts'
import type { Task } from '../model.ts'

/** The setting that names units of others whose work a role's service goes on with. */
export const replaces = z
  .array(
    z.string().regex(SERVICE_UNIT, {
      error: 'expected the name of a unit, such as prometheus-alertmanager.service',
    }),
  )
  .default([])
  .describe(
    'Units that did this work before, as `vestal adopt` finds them: stopped and disabled right before this service starts, which their data goes over to. Its own name says that the data may be another account’s.',
  )

/** The setting that names where the data of those units is, if that is no folder of this service's. */
export const replacesData = absolutePath
  .optional()
  .describe(
    'Where the data of the units in `replaces` is, if that is another folder than this service’s: brought along when they are stopped.',
  )

interface Heir {
  readonly service: string
  readonly account: string
  readonly folder?: string
  readonly from?: string
}

/** The task that hands over to a service, right before it is started; none where it replaces nothing. */
export const handOver = (units: readonly string[], { service, account, folder, from }: Heir): readonly Task[] =>
  units.length === 0 ? [] : [handedOver(`${service}.service`, { units, account, folder, from })]

/** For a port that a service needs: who may have it until then. */
export const until = (units: readonly string[]): { readonly until?: readonly string[] } =>
  units.length === 0 ? {} : { until: units }
