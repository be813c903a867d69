import { z } from 'zod'
import { jobName, labels, listenAddress, memoryMax, secret, version } from '../../lib/inventory/schema/fields.ts'
import { sealKnownSecrets } from '../../lib/known-secrets.ts'
import { extraFlagsBeside, WEB_FLAGS } from '../../lib/program/flags.ts'
import { replaces } from '../../lib/program/replaces.ts'
import { webFields } from '../../lib/program/web.ts'

/** The inventory variable that names exporters. */
export const KEY = 'exporters'

const yaml = z.looseObject({}, { error: 'expected a mapping, as the program reads it' })

const probeVars = z.strictObject({
  module: z.string().optional().describe('The module of its configuration that probes, such as `http_2xx`.'),
  targets: z
    .array(z.string())
    .default([])
    .describe('What is probed: URLs, names, addresses, as the module takes them.'),
  group: z
    .string()
    .optional()
    .describe('An inventory group whose hosts are probed, by their address; `all` is every host.'),
  target: z
    .string()
    .regex(/\{address\}/, { error: 'expected text with {address} in it, such as http://{address}:8080/healthz' })
    .default('{address}')
    .describe('What is probed on each host of `group`: text with `{address}` in it.'),
  labels: labels.default({}).describe('Labels for all targets of the job.'),
  config: yaml
    .default({})
    .transform(sealKnownSecrets)
    .describe('Further fields of the scrape config, as Prometheus names them: params, scrape_interval, …'),
})
export type ProbeVars = z.infer<typeof probeVars>

export const exporterVars = z.strictObject({
  exporter: z
    .string()
    .optional()
    .describe('Which exporter of the catalogue it is; default: the one that the entry is named after.'),
  enabled: z
    .boolean()
    .default(true)
    .describe('Whether it runs here; false on a host whose group has it stops it and takes it away.'),
  source: z
    .enum(['release', 'package'], { error: 'expected release or package' })
    .default('release')
    .describe(
      'Where the binary comes from: a release of its project, or the package of the distribution, whose own unit is then masked.',
    ),
  version: version
    .optional()
    .describe(
      'The version that runs; needed for a release. For a package, the version that it has: only where its flags have other names than those of the newest.',
    ),
  ...webFields(1),
  listen: listenAddress
    .optional()
    .describe('Address and port of its web server; default: all addresses, and the port that its project gives it.'),
  config: yaml
    .optional()
    .transform(sealKnownSecrets)
    .describe(
      'Its configuration file, as it reads it. A secret can stand anywhere as { $env: NAME } or { $file: path }.',
    ),
  config_file: z
    .string()
    .optional()
    .describe('In place of `config`: a file that is brought as it is, relative to the inventory.'),
  environment: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'expected the name of an environment variable' }),
      secret,
      { error: 'expected a mapping of names to text or secrets' },
    )
    .default({})
    .describe('Environment variables: where it reads credentials from. They stand in a file that only root reads.'),
  labels: labels.default({}).describe('Labels for its target.'),
  scrape_config: yaml
    .default({})
    .transform(sealKnownSecrets)
    .describe('Further fields of its scrape config, as Prometheus names them: scrape_interval, params, …'),
  probes: z
    .record(jobName, probeVars)
    .default({})
    .describe('For exporters that probe: jobs by name, each with what is probed through this exporter.'),
  memory_max: memoryMax,
  replaces,
  extra_flags: extraFlagsBeside({
    'web.listen-address': WEB_FLAGS['web.listen-address'],
    'web.config.file': WEB_FLAGS['web.config.file'],
  }).describe('Command line flags of the exporter: what it asks, and which collectors it has.'),
})
export type ExporterVars = z.infer<typeof exporterVars>

const entryName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,30}$/, { error: 'expected a name of small letters, digits, - and _' })

export const exportersVars = z.record(entryName, exporterVars.nullable(), {
  error: 'expected exporters by name, as a mapping',
})
