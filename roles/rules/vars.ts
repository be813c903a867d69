import { z } from 'zod'

export const rulesVars = z.strictObject({
  folders: z
    .array(z.string())
    .default([])
    .describe(
      'Folders of rule files (`*.yml`, `*.yaml`, with `groups:` at the top), relative to the inventory, folders in them too: a published monitoring mixin can be put there as it is.',
    ),
  self_monitoring: z
    .boolean()
    .default(true)
    .describe('Whether the rules over Prometheus, Alertmanager and the machines themselves are loaded.'),
  generic: z
    .boolean()
    .default(false)
    .describe(
      'Whether the rules over anything that is scraped are loaded: unreliable scrapes, memory that fills, restart loops, certificates, error ratios and latencies against an objective.',
    ),
  watchdog: z
    .boolean()
    .default(true)
    .describe('Whether the alert that always fires is loaded: its absence shows a broken chain.'),
})
export type RulesVars = z.infer<typeof rulesVars>
