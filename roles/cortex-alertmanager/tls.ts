/**
 * TLS of an instance: of its web server by `tls`, and by `tls.gossip` of what instances of a ring say to each other: requests and state by gRPC, where each shows a
 * certificate, and gossip, where memberlist verifies whom it calls and asks nobody who calls for one.
 *
 * There is one certificate for all of it. gRPC reads it again with each handshake; the web server does so for those alone who name it in the handshake, as nobody does who asks
 * by address, and gossip and gRPC's other side when they start (cortex `pkg/util/tls`; Go's `http.Server.ServeTLS`; seen with 1.21.1). So an instance is restarted where it is exchanged.
 */
import { readAuthority } from '../../lib/certificates/authority.ts'
import { packages } from '../../lib/kinds/packages.ts'
import type { Host, Inventory, Reach, Scope, SettingMistake, Task } from '../../lib/model.ts'
import { isHeldForClients, shownCertificate, trustFile, trustTasks } from '../../lib/program/certificates.ts'
import { AUTHORITY, certificateFile } from '../../lib/program/certified.ts'
import type { Flags } from '../../lib/program/flags.ts'
import { hasTls } from '../../lib/program/web.ts'
import { type Gossiping, type GossipMode, gossipingOn } from '../alertmanager/gossip-tls.ts'
import { GROUP } from './members.ts'
import { type CortexVars, cortexOn, WEB } from './vars.ts'

const SERVICE = 'cortex-alertmanager.service'
const CERTIFICATE = certificateFile(WEB)

/** Whether the inventory wants instances to speak to each other with TLS. Those that are not sharded gossip as Cortex lets them: without. */
export const hasRingTls = (host: Host, { sharding }: Pick<CortexVars, 'sharding'> = cortexOn(host)): boolean =>
  sharding && (host.tls?.gossip ?? false)

type Own = Pick<Scope<CortexVars>, 'host' | 'vars' | 'inventory'>

/** Its flags of TLS, by which the process itself says what it speaks. */
export const tlsFlags = ({ host, vars }: Pick<Own, 'host' | 'vars'>): Flags => {
  const own = (prefix: string): Flags => ({ [`${prefix}cert-path`]: CERTIFICATE, [`${prefix}key-path`]: CERTIFICATE })
  const asking = (prefix: string): Flags => ({
    [`${prefix}enabled`]: 'true',
    ...own(prefix),
    [`${prefix}ca-path`]: AUTHORITY,
  })
  return {
    ...(hasTls(vars) && own('server.http-tls-')),
    ...(hasRingTls(host, vars) && {
      ...own('server.grpc-tls-'),
      'server.grpc-tls-ca-path': AUTHORITY,
      'server.grpc-tls-client-auth': 'RequireAndVerifyClientCert',
      ...asking('alertmanager.alertmanager-client.tls-'),
      ...asking('memberlist.tls-'),
    }),
  }
}

/** The files of TLS, and those that count when it starts; none without. */
export const tlsTasks = ({
  host,
  vars,
  inventory,
}: Own): { readonly tasks: readonly Task[]; readonly starts: readonly Task[] } => {
  const ring = hasRingTls(host, vars)
  if (!hasTls(vars) && !ring) return { tasks: trustTasks(inventory), starts: [] }
  const { advertise_address } = vars
  const certificate = shownCertificate(host, {
    path: CERTIFICATE,
    group: WEB.user,
    names: advertise_address === undefined ? [] : [advertise_address],
    restarts: SERVICE,
  })
  return {
    // Pages that are too large for the link are asked on the host, with TLS by openssl.
    tasks: [packages(['openssl']), ...trustTasks(inventory), certificate],
    starts: [
      ...(ring ? trustFile(inventory) : []),
      // The operator's own is a file like any other.
      ...(certificate.kind.name === 'file' ? [certificate] : []),
    ],
  }
}

/** What of TLS between instances doesn't agree with the rest of the inventory. */
export const tlsMistakes = ({ host, vars, group }: Scope<CortexVars>): readonly SettingMistake[] => {
  if (!hasRingTls(host, vars)) return []
  const others = group(GROUP).filter((one) => !hasRingTls(one))
  if (others.length > 0)
    return [
      {
        path: ['gossip_port'],
        what: `${host.name} is to speak with TLS to other instances, and ${others.map(({ name }) => name).join(', ')} without: they would not hear each other`,
        fix: 'set tls: { gossip: true } for all of them, in group_vars/cortex_alertmanager.yml or group_vars/all.yml',
      },
    ]
  if (host.tls?.own && !isHeldForClients(host.tls.own.certificate))
    return [
      {
        path: ['gossip_port'],
        what: `the certificate of ${host.name} is a server's alone, and instances of a ring show theirs to each other`,
        fix: 'have it issued for clients too (extended key usage clientAuth), or set tls: { gossip: false }',
      },
    ]
  return []
}

/** How the instance that runs on a host speaks to others; undefined where none runs. Throws HostError as `reach` does. */
const runningMode = async (host: Host, reach: Reach): Promise<GossipMode | undefined> => {
  const { stdout } = await (await reach(host)).exec(LOOK, { most: 4_096, within: '30s' })
  const said = stdout.toString().trim()
  return said === 'tls' || said === 'plain' ? said : undefined
}

const LOOK = `pid=$(systemctl show -P MainPID cortex-alertmanager 2>/dev/null)
case $pid in '' | 0 | *[!0-9]*) exit 0 ;; esac
if tr '\\0' '\\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -q '^--*memberlist\\.tls-enabled=true$'; then echo tls; else echo plain; fi
exit 0`

/** How each sharded instance among these hosts speaks to others now, those that run. */
export const ringModesOf = async (
  inventory: Inventory,
  { hosts, reach }: { readonly hosts: readonly Host[]; readonly reach: Reach },
): Promise<readonly Gossiping[]> => {
  const members = inventory.hosts.filter(({ groups }) => groups.includes(GROUP))
  // One that is left alone has nobody to hear.
  if (members.length < 2 || !(inventory.hosts.some(({ tls }) => tls) || readAuthority(inventory))) return []
  return gossipingOn(
    members.filter((host) => hosts.includes(host) && cortexOn(host).sharding),
    { running: (host) => runningMode(host, reach), isToHaveTls: (host) => hasRingTls(host) },
  )
}
