/**
 * Gossip with TLS. A member then listens by TCP alone, wants a certificate of whoever comes, and shows its own; it hears nobody without, and there is no way to do
 * both (Alertmanager's docs, "Gossip traffic"). It reads its certificate again with each handshake, and whom it trusts once, when it starts (`NewTLSTransport`
 * in `cluster/tls_transport.go`, exporter-toolkit's `ConfigToTLSConfig`).
 */
import { answered } from '../../lib/answered.ts'
import { readAuthority } from '../../lib/certificates/authority.ts'
import { file } from '../../lib/kinds/file.ts'
import type { Gate, Host, Inventory, Reach, Scope, SettingMistake, Task } from '../../lib/model.ts'
import { isHeldForClients, shownCertificate, trustFile, trustTasks } from '../../lib/program/certificates.ts'
import { AUTHORITY, fileOfCertificate } from '../../lib/program/certified.ts'
import { yamlFile } from '../../lib/program/yaml-file.ts'
import type { AlertmanagerVars } from './vars.ts'
import { WEB } from './vars.ts'

/** How members gossip. */
export type GossipMode = 'tls' | 'plain'

/** Its settings of TLS, and the certificate that it shows to other members. */
export const GOSSIP_CONFIG = `${WEB.folder}/gossip.yml`
export const GOSSIP_CERTIFICATE = fileOfCertificate(WEB, 'gossip')

/** Whether the inventory wants the gossip of this member with TLS; one that stands alone has none. */
export const hasGossipTls = ({ host, group }: Pick<Scope, 'host' | 'group'>): boolean =>
  (host.tls?.gossip ?? false) && group('alertmanager').length > 1

/** The files of gossip with TLS, all of which count when it starts but for the certificate; none without. */
export const gossipTasks = (
  scope: Scope<AlertmanagerVars>,
): { readonly tasks: readonly Task[]; readonly starts: readonly Task[] } => {
  if (!hasGossipTls(scope)) return { tasks: [], starts: [] }
  const { host, vars, inventory } = scope
  const own = { cert_file: GOSSIP_CERTIFICATE, key_file: GOSSIP_CERTIFICATE }
  const config = file(
    GOSSIP_CONFIG,
    yamlFile({
      tls_server_config: { ...own, client_auth_type: 'RequireAndVerifyClientCert', client_ca_file: AUTHORITY },
      tls_client_config: { ...own, ca_file: AUTHORITY },
    }),
    { mode: '0640', group: WEB.user },
  )
  const { advertise_address } = vars.cluster
  const certificate = shownCertificate(host, {
    path: GOSSIP_CERTIFICATE,
    group: WEB.user,
    names: advertise_address === undefined ? [] : [advertise_address],
  })
  return {
    tasks: [...trustTasks(inventory), certificate, config],
    starts: [config, ...trustFile(inventory)],
  }
}

/** What of gossip with TLS doesn't agree with the rest of the inventory. */
export const gossipMistakes = (scope: Scope<AlertmanagerVars>): readonly SettingMistake[] => {
  const { host, group } = scope
  const members = group('alertmanager')
  const wanted = hasGossipTls(scope)
  const others = members.filter((one) => hasGossipTls({ host: one, group }) !== wanted).map(({ name }) => name)
  if (wanted && others.length > 0)
    return [
      {
        path: ['cluster'],
        what: `${host.name} is to gossip with TLS, and ${others.join(', ')} without: they would not hear each other`,
        fix: 'set tls: { gossip: true } for all of them, in group_vars/alertmanager.yml or group_vars/all.yml',
      },
    ]
  if (wanted && host.tls?.own && !isHeldForClients(host.tls.own.certificate))
    return [
      {
        path: ['cluster'],
        what: `the certificate of ${host.name} is a server's alone, and members that gossip with TLS show theirs to each other`,
        fix: 'have it issued for clients too (extended key usage clientAuth), or set tls: { gossip: false }',
      },
    ]
  return []
}

/** Whether members may gossip with TLS, now or by the inventory: without, there is nothing to look at. */
const mayHaveTls = (inventory: Inventory): boolean =>
  inventory.hosts.some(({ tls }) => tls) || readAuthority(inventory) !== undefined

/** How the Alertmanager that runs on a host gossips; undefined where none runs, or one that stands alone. Throws HostError as `reach` does. */
export const runningGossip = async (host: Host, reach: Reach): Promise<GossipMode | undefined> => {
  const { stdout } = await (await reach(host)).exec(LOOK, { most: 4_096, within: '30s' })
  const said = stdout.toString().trim()
  return said === 'tls' || said === 'plain' ? said : undefined
}

const LOOK = `pid=$(systemctl show -P MainPID alertmanager 2>/dev/null)
case $pid in '' | 0 | *[!0-9]*) exit 0 ;; esac
has() { tr '\\0' '\\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -q "^--cluster\\.$1=."; }
if has tls-config; then echo tls; elif has listen-address; then echo plain; fi
exit 0`

/** How one that runs gossips now, and how it is to. */
export interface Gossiping {
  readonly host: Host
  readonly mode: GossipMode
  readonly wanted: GossipMode
}

/** That of each of these hosts that answers and on which one runs. */
export const gossipingOn = async (
  hosts: readonly Host[],
  ask: {
    running(host: Host): Promise<GossipMode | undefined>
    isToHaveTls(host: Host): boolean
  },
): Promise<readonly Gossiping[]> => {
  const found = await Promise.all(
    hosts.map(async (host): Promise<readonly Gossiping[]> => {
      const mode = await answered(() => ask.running(host))
      return mode ? [{ host, mode, wanted: ask.isToHaveTls(host) ? 'tls' : 'plain' }] : []
    }),
  )
  return found.flat()
}

/** How each member among these hosts gossips now, those that run. */
export const gossipOf = async (
  inventory: Inventory,
  { hosts, reach }: { readonly hosts: readonly Host[]; readonly reach: Reach },
): Promise<readonly Gossiping[]> => {
  const members = inventory.hosts.filter(({ groups }) => groups.includes('alertmanager'))
  // One that is left alone has nobody to hear.
  if (members.length < 2 || !mayHaveTls(inventory)) return []
  const group = (): readonly Host[] => members
  return gossipingOn(
    members.filter((host) => hosts.includes(host)),
    { running: (host) => runningGossip(host, reach), isToHaveTls: (host) => hasGossipTls({ host, group }) },
  )
}

/** A mode in words. */
export const gossipInWords = (mode: GossipMode): string => (mode === 'tls' ? 'with TLS' : 'in plain text')

/** That a member which is not touched now gossips as those will that are: else each side would be alone. */
export const gossipsAlike = (host: Host, inventory: Inventory): readonly Gate[] => {
  if (!mayHaveTls(inventory)) return []
  const group = (name: string): readonly Host[] => inventory.hosts.filter(({ groups }) => groups.includes(name))
  const wanted = hasGossipTls({ host, group }) ? 'tls' : 'plain'
  return [
    {
      name: 'Alertmanager gossips in the way that the inventory says',
      host: host.name,
      within: '10s',
      async ask(reach) {
        const mode = await runningGossip(host, reach)
        if (mode === undefined || mode === wanted) return { pass: true }
        return {
          pass: false,
          final: true,
          why: `it gossips ${gossipInWords(mode)}, and is to do so ${gossipInWords(wanted)}: members change all at once, by vestal certificates gossip`,
        }
      },
    },
  ]
}
