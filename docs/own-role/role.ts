import { readFileSync } from 'node:fs'
import { absolutePath, port } from 'vestal/fields'
import { httpGate } from 'vestal/gates/http'
import { directory } from 'vestal/kinds/directory'
import { execLine } from 'vestal/kinds/exec-line'
import { file } from 'vestal/kinds/file'
import { packages } from 'vestal/kinds/packages'
import { service } from 'vestal/kinds/service'
import { unit } from 'vestal/kinds/unit'
import { systemUser } from 'vestal/kinds/user'
import { role } from 'vestal/role'
import { z } from 'zod'

const PROGRAM = '/usr/local/lib/spool-exporter.py'

/** How many files wait in a folder, as a metric. */
export const spoolExporter = role({
  name: 'spool_exporter',
  summary: 'How many files wait in a folder, as a metric.',
  group: 'spool',

  vars: z.strictObject({
    folder: absolutePath.default('/var/spool/work').describe('The folder whose files are counted.'),
    port: port.default(9200).describe('The port of the metrics.'),
  }),

  tasks({ vars }) {
    const command = ['/usr/bin/python3', PROGRAM, vars.folder, String(vars.port)]
    const program = file(PROGRAM, readFileSync(new URL('spool-exporter.py', import.meta.url)), { mode: '0755' })
    const serviceUnit = unit('spool_exporter.service', unitText(command))
    return [
      packages(['python3']),
      systemUser('spool-exp'),
      directory(vars.folder),
      program,
      serviceUnit,
      service('spool_exporter', { command, unit: serviceUnit, restartsOn: [program], reloads: false }),
    ]
  },

  healthy: ({ host, vars }) => [
    httpGate(
      'spool_exporter counts',
      { host, port: vars.port },
      {
        path: '/metrics',
        expect: ({ status, body }) =>
          body.includes('spool_files ') ? null : `it answers ${status} without the metric`,
      },
    ),
  ],
})

const unitText = (command: readonly string[]): string => `[Unit]
Description=Files that wait in a folder, as a metric
After=network-online.target

[Service]
Type=exec
User=spool-exp
ExecStart=${execLine(command)}
Restart=always
NoNewPrivileges=yes
ProtectSystem=strict

[Install]
WantedBy=multi-user.target
`
