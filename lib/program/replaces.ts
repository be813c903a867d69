import { z } from 'zod'
import { handedOver } from '../kinds/handover.ts'
import type { Task } from '../model.ts'

/** The setting that names units of others whose work a role's service goes on with. */
export const replaces = z
  .array(
    z.string().regex(/^[\w:.@\\-]+\.service$/, {
      error: 'expected the name of a unit, such as prometheus-alertmanager.service',
    }),
  )
  .default([])
  .describe(
    'Units that did this work before, as `vestal adopt` finds them: stopped and disabled right before this service starts, which their data goes over to. Its own name says that the data may be another account’s.',
  )

interface Heir {
  readonly service: string
  readonly account: string
  readonly folder?: string
}

/** The task that hands over to a service, right before it is started; none where it replaces nothing. */
export const handOver = (units: readonly string[], { service, account, folder }: Heir): readonly Task[] =>
  units.length === 0 ? [] : [handedOver(`${service}.service`, { units, account, folder })]
