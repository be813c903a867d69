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
  on_every_shard: z
    .array(z.string())
    .default([])
    .describe(
      'Where targets are spread over shards: names of alerts and recorded series that every shard is to evaluate on its own targets, although all shards together then differ from one Prometheus with all data.',
    ),
  trusted_jobs: z
    .array(z.string())
    .default([])
    .describe(
      'Where targets are spread over shards: jobs with `honor_labels`, or that relabel their metrics, whose series nevertheless have the job, the instance and the labels that targets are hashed by of their own target.',
    ),
})
export type RulesVars = z.infer<typeof rulesVars>
