import { z } from 'zod'
import { absolutePath, memoryMax, version } from '../../lib/inventory/schema/fields.ts'
import { extraFlagsBeside, setting, WEB_FLAGS } from '../../lib/program/flags.ts'
import { replaces } from '../../lib/program/replaces.ts'
import { webFields } from '../../lib/program/web.ts'

const collector = z.string().regex(/^[a-z0-9_.]+$/, { error: 'expected the name of a collector, such as systemd' })

export const nodeExporterVars = z.strictObject({
  version: version.describe('The version that runs.'),
  ...webFields(9100),
  collectors: z
    .strictObject({
      enable: z.array(collector).default([]).describe('Collectors to turn on beside the default ones.'),
      disable: z.array(collector).default([]).describe('Default collectors to turn off.'),
    })
    .prefault({})
    .describe('Which collectors run.'),
  textfile_dir: absolutePath
    .default('/var/lib/node_exporter/textfile')
    .describe('Folder whose `*.prom` files become metrics.'),
  log_level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('The lowest level that is logged.'),
  memory_max: memoryMax,
  replaces,
  extra_flags: extraFlagsBeside({
    'web.listen-address': WEB_FLAGS['web.listen-address'],
    'web.config.file': WEB_FLAGS['web.config.file'],
    'log.level': WEB_FLAGS['log.level'],
    'collector.textfile.directory': setting('textfile_dir'),
  }).describe('Further command line flags.'),
})
export type NodeExporterVars = z.infer<typeof nodeExporterVars>
