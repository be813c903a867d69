import { readHost } from '../lib/engine/read.ts'
import { HostError } from '../lib/errors.ts'
import type { Connection, Host } from '../lib/model.ts'
import { portOf } from '../lib/program/web.ts'
import { alertmanager } from '../roles/alertmanager/role.ts'
import { nodeExporter } from '../roles/node-exporter/role.ts'
import { prometheus } from '../roles/prometheus/role.ts'

interface Port {
  readonly unit: string
  readonly port: number
}

/**
 * A machine that is to join: it can be reached, scripts run there as root, it is what the inventory says, systemd runs, and the ports of
 * its roles are free, or ours. Changes nothing. Throws HostError, as `connect` does, for the first thing that isn't so.
 */
export const requireReady = async (host: Host, connection: Connection): Promise<void> => {
  const { facts } = await readHost(connection, [])
  if (facts.systemd === 0)
    throw new HostError(host.name, 'systemd does not run there', { task: 'check', hint: 'Services need it as PID 1.' })
  const ports = portsOf(host)
  const { stdout } = await connection.exec(script(ports.map(({ unit }) => unit)))
  const [user = '', ours = '', listening = ''] = stdout.toString().split(/^--\n/m)
  if (user.trim() !== '0')
    throw new HostError(host.name, `scripts run there as user ${user.trim()}, not as root`, {
      task: 'check',
      hint: 'Log in as root, or set ansible_become: true for a user that sudo lets become root.',
    })
  const running = new Set(ours.split('\n'))
  const used = listeningPorts(listening)
  const taken = ports.filter(({ unit, port }) => used.has(port) && !running.has(unit))
  if (taken.length === 0) return
  throw new HostError(
    host.name,
    taken.map(({ unit, port }) => `port ${port}, which ${unit} needs, is taken by something else`).join('; '),
    { task: 'check', hint: 'See there: ss -ltnup. Stop what it is, or choose another port in the inventory.' },
  )
}

const portsOf = (host: Host): readonly Port[] => {
  const has = (group: string) => host.groups.includes(group)
  return [
    ...(has('alertmanager')
      ? [portOf(alertmanager.varsOf(host).listen), alertmanager.varsOf(host).cluster.port].map((port) => ({
          unit: 'alertmanager.service',
          port,
        }))
      : []),
    ...(has('prometheus') ? [{ unit: 'prometheus.service', port: portOf(prometheus.varsOf(host).listen) }] : []),
    ...(has('node_exporter')
      ? [{ unit: 'node_exporter.service', port: portOf(nodeExporter.varsOf(host).listen) }]
      : []),
  ]
}

const script = (units: readonly string[]): string => `id -u
echo --
for unit in ${[...new Set(units)].join(' ')}; do if systemctl is-active --quiet "$unit"; then echo "$unit"; fi; done
echo --
cat /proc/net/tcp /proc/net/tcp6 2>/dev/null`

/** The ports of sockets that listen (state 0A), as the kernel lists them: proc(5). */
const listeningPorts = (table: string): ReadonlySet<number> =>
  new Set(
    [...table.matchAll(/^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 0A /gm)].map(([, port = '']) =>
      Number.parseInt(port, 16),
    ),
  )
