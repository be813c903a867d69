import { z } from 'zod'
import { milliseconds } from '../../lib/duration.ts'
import { duration, secret } from '../../lib/inventory/schema/fields.ts'

/** What stands for the path in a URL. */
export const PLACE = '{path}'

export const heartbeatVars = z.strictObject({
  url: secret
    .refine((one) => /^https?:/.test(one.reveal()) && URL.canParse(one.reveal().replaceAll(PLACE, 'x')), {
      error: 'expected a URL that begins with http:// or https://',
    })
    .refine((one) => one.reveal().includes(PLACE), {
      error: `expected ${PLACE} in it, so that each path has a URL of its own`,
    })
    .describe(
      'Where each path sends its sign of life, by POST; `{path}` in it becomes `PROMETHEUS-through-ALERTMANAGER`: `https://hc-ping.com/KEY/{path}`.',
    ),
  every: duration
    .refine((every) => milliseconds(every) >= 10_000 && milliseconds(every) <= 600_000, {
      error: 'expected from 10s to 10m',
    })
    .default('1m')
    .describe('How often.'),
  receivers: z
    .array(z.string())
    .default([])
    .describe(
      'Receivers of `config` that are sent the sign of life of every path too, so that each kind of receiver is shown to work from each Alertmanager.',
    ),
  receivers_every: duration.default('24h').describe('How often these are.'),
})
