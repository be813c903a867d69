/** Settings of all who scrape: a replica of Prometheus, and an agent. */
import { z } from 'zod'
import { labels, port } from '../../lib/inventory/schema/fields.ts'
import { sealKnownSecrets } from '../../lib/known-secrets.ts'

export const yaml = z.looseObject({}, { error: 'expected a mapping, as Prometheus reads it' })

export const targetVars = z.strictObject({
  group: z.string().describe('The inventory group whose hosts are scraped.'),
  port: port.describe('The port that is scraped on each.'),
  labels: labels.default({}).describe('Labels for all targets of the job.'),
  config: yaml
    .default({})
    .describe(
      'Further fields of the scrape config, as Prometheus names them: metrics_path, scrape_interval, basic_auth, …',
    ),
})

/** Fields of `global`, but those that are settings of their own. */
export const globalVars = (key: string, own: readonly string[]) =>
  yaml.transform(sealKnownSecrets).superRefine((fields, context) => {
    for (const name of Object.keys(fields))
      if (own.includes(name)) context.addIssue({ code: 'custom', path: [name], message: `write it as ${key}.${name}` })
  })

export const scrapeConfig = z.looseObject(
  {
    job_name: z.string({ error: 'expected the name of the job' }).describe('Its name, unlike those of all other jobs.'),
  },
  { error: 'expected a scrape config, as Prometheus reads it' },
)

/** Where samples are sent to. */
export const remoteWrite = z.array(
  z
    .looseObject(
      {
        url: z.unknown().describe('Where to.'),
        ha_tracker: z
          .boolean()
          .optional()
          .describe(
            'Whether an HA tracker of Cortex or Mimir is there: samples get `cluster`, with their shard in it, and `__replica__`, of which it keeps one.',
          ),
        deduplicates: z
          .boolean()
          .optional()
          .describe(
            'Whether one of equal samples is kept there, as by VictoriaMetrics with `-dedup.minScrapeInterval`: the labels of replica and shard are left out.',
          ),
      },
      { error: 'expected a remote_write entry with a `url`' },
    )
    .refine(({ ha_tracker, deduplicates }) => !(ha_tracker && deduplicates), {
      path: ['deduplicates'],
      error: 'is for receivers without an HA tracker: leave out one of both',
    }),
)

export const REMOTE_WRITE =
  'Where samples are sent to, as Prometheus reads it. A secret can stand anywhere as { $env: NAME } or { $file: path }.'
