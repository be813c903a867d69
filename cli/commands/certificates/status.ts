import { lookAtShown, lookAtWeb, type ShownLook, type WebLook } from '../../../fleet/certificates/look.ts'
import { trustedAuthorities } from '../../../lib/certificates/authority.ts'
import { InputError } from '../../../lib/errors.ts'
import { replaceFile } from '../../../lib/replace-file.ts'
import { columns } from '../../../lib/report/columns.ts'
import { print } from '../../../lib/report/print.ts'
import type { Context } from '../../context.ts'
import type { CertificatesFlags } from './flags.ts'
import { metricsOf } from './metrics.ts'

/** What every web server shows now. Returns 1 where one isn't trusted, speaks other than the inventory wants, or doesn't answer. */
export const statusOfCertificates = async (
  { inventory, hosts, pool: { reach }, redacted }: Context,
  { json, metrics }: CertificatesFlags,
): Promise<number> => {
  const [looks, gossip] = await Promise.all([
    lookAtWeb(inventory, { hosts, reach }),
    lookAtShown(inventory, { hosts, reach }),
  ])
  const authorities = trustedAuthorities(inventory).map(({ subject, until }) => ({
    subject,
    until: until.toISOString(),
  }))
  const shown = redacted({
    vestal: 'certificates/1',
    inventory: inventory.name,
    authorities,
    servers: [
      ...looks.map((one) => rowOf(one, problemOf(one))),
      ...gossip.map((one) => rowOf(one, gossipProblem(one))),
    ],
  })
  if (metrics !== undefined)
    writeMetrics(metrics, redacted(metricsOf(inventory.name, shown, { hosts: inventory.hosts })))
  print(
    json
      ? JSON.stringify(shown, null, 2)
      : [
          ...shown.authorities.map(({ subject, until }) => `authority ${subject}: until ${until}`),
          columns(
            ['HOST', 'ROLE', 'PORT', 'SPEAKS', 'UNTIL', 'PROBLEM'],
            shown.servers.map(({ host, role, port, speaks, until, problem }) =>
              [host, role, String(port), speaks, until, problem].map((text) => ({ text })),
            ),
          ),
        ].join('\n'),
  )
  return shown.servers.some(({ problem }) => problem !== '') ? 1 : 0
}

const rowOf = (one: Pick<WebLook, 'host' | 'role' | 'port' | 'speaks' | 'until'>, problem: string) => ({
  host: one.host.name,
  role: one.role.name,
  port: one.port,
  speaks: one.speaks ?? '',
  until: one.until ?? '',
  problem,
})

/** Why a web server isn't as it should be; empty where it is. */
const problemOf = ({ speaks, web, refused, why }: WebLook): string => {
  if (why !== undefined) return why
  if (refused !== undefined) return refused
  if (web.certified && speaks === 'plain') return 'it is in plain text, and is to have TLS'
  return ''
}

const gossipProblem = ({ speaks, wanted, refused }: ShownLook): string => {
  if (refused !== undefined) return refused
  if (speaks === wanted) return ''
  return speaks === 'plain' ? 'it gossips in plain text, and is to have TLS' : 'it gossips with TLS, and is not to'
}

const writeMetrics = (path: string, text: string): void => {
  try {
    replaceFile(path, text, 0o644)
  } catch (error) {
    throw new InputError([
      {
        where: '--metrics',
        what: `${path} cannot be written: ${error instanceof Error ? error.message : error}`,
        fix: 'Name a file in the folder that this machine’s node_exporter reads, which exists and can be written to.',
      },
    ])
  }
}
