import { InputError } from '../../lib/errors.ts'
import { directory } from '../../lib/kinds/directory.ts'
import { file } from '../../lib/kinds/file.ts'
import { packages } from '../../lib/kinds/packages.ts'
import { service } from '../../lib/kinds/service.ts'
import { unit } from '../../lib/kinds/unit.ts'
import { systemUser } from '../../lib/kinds/user.ts'
import type { Gate, Host, Inventory, PlayScope, Role, Scope, SettingMistake, Task, TooFew } from '../../lib/model.ts'
import { servedCertificate, trustFile, trustTasks } from '../../lib/program/certificates.ts'
import { execStart } from '../../lib/program/release.ts'
import { SANDBOX, sandbox } from '../../lib/program/sandbox.ts'
import { template } from '../../lib/program/template.ts'
import { portOf } from '../../lib/program/web.ts'
import { role } from '../../lib/role.ts'
import { GROUP as RING } from '../cortex-alertmanager/members.ts'
import { backendsOf } from './backends.ts'
import { checks } from './checks.ts'
import { CONFIG, configFile, FOLDER } from './config.ts'
import { everyPageServes, everyServerUp, serversSeenBy, shownServers, statsOf } from './gates.ts'
import { haproxyService } from './haproxy.ts'
import { ALIVE, aliveScript, KEEPALIVED, KEEPER_USER, keepalivedFile } from './keepalived.ts'
import { certificatePath, type GatewayVars, gatewayOn, gatewayVars } from './vars.ts'

const GROUP = 'gateway'
const SERVICE = 'gateway'
const ADDRESS = 'gateway-address'
/** The account that the distribution's package makes. */
const USER = 'haproxy'
const KEEPER = [
  ...['/usr/sbin/keepalived', '--dont-fork', '--vrrp', `--use-file=${KEEPALIVED}`],
  ...[`--pid=/run/${ADDRESS}/keepalived.pid`, `--vrrp_pid=/run/${ADDRESS}/vrrp.pid`],
]
const KEEPER_MAY = 'CAP_NET_ADMIN CAP_NET_RAW CAP_NET_BROADCAST CAP_SETGID'
const addressText = template<{ user: string; command: string; sandbox: readonly string[] }>(
  import.meta.url,
  'templates/gateway-address.service.ejs',
)
/** Not as root: it gives the address to the interface, speaks VRRP, and takes no group along when it runs its question (setgroups(2)). */
const keeper = sandbox({
  otherwise: {
    AmbientCapabilities: KEEPER_MAY,
    CapabilityBoundingSet: KEEPER_MAY,
    PrivateUsers: null,
    RestrictAddressFamilies: `${SANDBOX.RestrictAddressFamilies.value} AF_PACKET`,
    SystemCallFilter: ['@system-service', '~@chown @clock @module @raw-io @reboot @swap @resources'],
  },
})

/** One address for queries and pages, in front of those that are up. */
export const gateway: Role<GatewayVars> = role<GatewayVars>({
  name: 'gateway',
  title: 'Gateway',
  summary:
    'One address for queries and the pages of Prometheus and Alertmanager, by HAProxy; with keepalived it floats.',
  group: GROUP,
  vars: gatewayVars,
  service: SERVICE,
  mistakes: (scope) => certificateMistakes(scope),

  tasks({ host, vars, inventory, group }) {
    const shown = vars.certificate === 'fleet' && host.tls ? [ofPages(host, vars)] : []
    return [
      packages(['haproxy', ...(vars.floating ? ['keepalived'] : [])]),
      directory(FOLDER),
      ...trustTasks(inventory),
      ...shown,
      ...haproxyService(SERVICE, {
        title: 'Gateway: one address for queries and pages (HAProxy)',
        user: USER,
        config: { path: CONFIG, text: configFile(inventory, vars) },
        // One that is issued makes it read that again by itself; the operator's own is a file like any other.
        reads: [...trustFile(inventory), ...shown.filter(({ kind }) => kind.name === 'file')],
        low: portsOf(inventory, vars).some((port) => port < 1024),
      }),
      ...addressTasks({ host, vars, group }),
    ]
  },

  healthy({ host, vars, inventory }) {
    return [everyServerUp(host, vars, backendsOf(inventory, vars))]
  },
  serves: ({ host, vars, inventory }) => [everyPageServes(host, vars, backendsOf(inventory, vars))],

  instance: ({ host, vars, inventory }) => ({
    service: `service ${SERVICE}`,
    async status(reach) {
      const seen = await serversSeenBy(reach, statsOf(host, vars))
      return { ready: true, shows: { behind: shownServers(seen, inventory, vars) } }
    },
  }),

  rollout: {
    titles: {
      all: 'Gateways, one at a time',
      first: 'The first gateway',
      joins: 'The new gateway starts',
      learns: 'Gateways learn of it, one at a time',
      forgets: 'Gateways forget it, one at a time',
    },
    batch: 1,
    before: othersServe,
  },
  minimum,
  drained: ({ host, inventory }) => othersServe({ inventory, batch: [host], hosts: [host] }),
  scrape: ({ vars }) => ({ job: GROUP, port: portOf(vars.metrics) }),
  reaches: ({ host, vars, inventory }) =>
    backendsOf(inventory, vars).flatMap(({ servers }) =>
      servers
        .filter((server) => server.host !== host)
        .map((server) => ({
          name: 'web',
          to: server.host,
          address: server.host.address,
          port: server.port,
          why: 'The gateway asks only those that it reaches.',
        })),
    ),
  checks,
  needs: ({ vars, inventory }) => ({
    ports: portsOf(inventory, vars).map((port) => ({ port, protocol: 'tcp' as const, unit: `${SERVICE}.service` })),
  }),
})

/** HAProxy reads a certificate when it starts or reloads: whoever exchanges it makes it do so. */
const ofPages = (host: Host, vars: GatewayVars): Task =>
  servedCertificate(host, {
    path: certificatePath(vars) ?? '',
    group: USER,
    names: vars.floating ? [vars.floating.address.replace(/\/\d+$/, '')] : [],
    reloads: `${SERVICE}.service`,
  })

/** A certificate of the fleet takes an authority. */
const certificateMistakes = ({ host, vars }: Pick<Scope<GatewayVars>, 'host' | 'vars'>): readonly SettingMistake[] =>
  vars.certificate === 'fleet' && !host.tls
    ? [
        {
          path: ['certificate'],
          what: '`fleet` is a certificate of the authority of `tls`, which is not set for this host',
          fix: 'set tls: { plain: [gateway] } for it, or name a file',
        },
      ]
    : []

/** That of a ring only where there is one. */
const portsOf = (
  inventory: Pick<Inventory, 'hosts'>,
  { query, prometheus, alertmanager, ring, metrics }: GatewayVars,
): readonly number[] =>
  [query, prometheus, alertmanager, hasRing(inventory) ? ring : null, metrics].flatMap((listen) =>
    listen === null ? [] : [portOf(listen)],
  )

const hasRing = ({ hosts }: Pick<Inventory, 'hosts'>): boolean => hosts.some(({ groups }) => groups.includes(RING))

/** Throws InputError where the host's own address could not be told from the floating one. */
const addressTasks = ({ host, vars, group }: Pick<Scope<GatewayVars>, 'host' | 'vars' | 'group'>): readonly Task[] => {
  const { floating } = vars
  if (!floating) return []
  if (floating.address.replace(/\/\d+$/, '') === host.address)
    throw new InputError([
      {
        where: `host ${host.name}`,
        path: 'gateway.floating.address',
        what: `${floating.address} is the address of the host itself`,
        fix: 'Choose an address that no machine has.',
      },
    ])
  const alive = file(ALIVE, aliveScript(host, vars), { mode: '0755' })
  const config = file(KEEPALIVED, keepalivedFile(host, group(GROUP), floating), {
    // Its test ends by a signal to its own group, whatever it found.
    validate: `( trap '' TERM; exec setsid -w /usr/sbin/keepalived --config-test --use-file="$1" )`,
  })
  const unitTask = unit(
    `${ADDRESS}.service`,
    addressText({ user: KEEPER_USER, command: execStart(KEEPER), sandbox: keeper }),
  )
  return [
    systemUser(KEEPER_USER),
    alive,
    config,
    unitTask,
    service(ADDRESS, { command: KEEPER, unit: unitTask, loads: [config] }),
  ]
}

/** Before one is interrupted: the others have somebody to ask for every page. */
function othersServe({ inventory, batch }: PlayScope): readonly Gate[] {
  return inventory.hosts
    .filter((host) => host.groups.includes(GROUP) && !batch.includes(host))
    .map((host) => {
      const vars = gatewayOn(host)
      return everyPageServes(host, vars, backendsOf(inventory, vars))
    })
}

function minimum(_: Host, left: readonly Host[]): TooFew | null {
  return left.length > 0
    ? null
    : { what: 'is the last gateway: nobody would answer at its address', fix: 'add another first' }
}
