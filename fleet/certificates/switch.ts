/**
 * TLS turned on or off on a fleet that serves. A web server speaks one of the two, so whoever asks it has to change when it does. Alerts are sent to each
 * Alertmanager both ways meanwhile: every Prometheus knows both before the first one changes, and one of the two arrives. What is scraped changes a few
 * machines at a time, each followed at once by the target files of every Prometheus, which it reads again without a reload. Gateways, the relays of Thanos
 * Query and the queries of Thanos Rule know both ways meanwhile too, and see by themselves which one it is.
 */
import { answered } from '../../lib/answered.ts'
import { readAuthority } from '../../lib/certificates/authority.ts'
import { batchesOf } from '../../lib/engine/batches.ts'
import { InputError } from '../../lib/errors.ts'
import { configInForce, sendsBothWays } from '../../lib/gates/prometheus.ts'
import type { ServiceData } from '../../lib/kinds/service.ts'
import {
  type Gate,
  type Host,
  type Inventory,
  type Play,
  type Playbook,
  type Reach,
  type Role,
  type Task,
  type Tls,
  taskId,
} from '../../lib/model.ts'
import { isOn, rolesOn, scopeOf } from '../../lib/playbook.ts'
import { CERTIFICATES } from '../../lib/program/certificates.ts'
import { AUTHORITY } from '../../lib/program/certified.ts'
import { endpointOf, hasTls, joined, portOf } from '../../lib/program/web.ts'
import { serviceOn } from '../../lib/role.ts'
import { listed } from '../../lib/wording.ts'
import { gossipInWords, gossipOf } from '../../roles/alertmanager/gossip-tls.ts'
import { alertmanager } from '../../roles/alertmanager/role.ts'
import { cortexAlertmanager } from '../../roles/cortex-alertmanager/role.ts'
import { ringModesOf } from '../../roles/cortex-alertmanager/tls.ts'
import { CONFIG as GATEWAY } from '../../roles/gateway/config.ts'
import { gateway } from '../../roles/gateway/role.ts'
import { configOf, targetsFolder } from '../../roles/prometheus/config.ts'
import { prometheus } from '../../roles/prometheus/role.ts'
import { alertmanagersOf, ringOf } from '../../roles/prometheus/targets.ts'
import { RELAY, RELAY_CONFIG } from '../../roles/thanos-query/relay.ts'
import { thanosQuery } from '../../roles/thanos-query/role.ts'
import { endpointsRead } from '../../roles/thanos-rule/gates.ts'
import { thanosRule } from '../../roles/thanos-rule/role.ts'
import { isEndpoints } from '../../roles/thanos-rule/tree.ts'
import { lookAtWeb, tlsIsSet, type WebLook } from './look.ts'

interface Chosen {
  /** The hosts that the run may change. */
  readonly hosts: readonly Host[]
  readonly tags?: readonly string[]
  readonly reach: Reach
}

/**
 * The playbook, with plays between its own where TLS is to be turned on or off on a web server that serves; itself where there is none. Asks web servers, and
 * changes nothing. Throws InputError where not all who ask one that changes may be changed in the same run, and where members of a cluster would have to
 * change how they gossip.
 */
export const switchingTls = async (book: Playbook, inventory: Inventory, chosen: Chosen): Promise<Playbook> => {
  if (!tlsIsSet(inventory) && !readAuthority(inventory)) return book
  const { hosts, reach } = chosen
  await refuseGossip(inventory, chosen)
  const looks = await lookAtWeb(inventory, { hosts, reach })
  const switching = looks.filter(changes)
  if (switching.length === 0) return book
  const rest = inventory.hosts.filter((host) => !hosts.includes(host) && host.link.mistakes === undefined)
  const all = [...looks, ...(await lookAtWeb(inventory, { hosts: rest, reach }))]
  const asking = all.filter(({ role, speaks }) => role.key === prometheus.key && speaks).map(({ host }) => host)
  const proxies = await proxiesOn(inventory, reach)
  refuseParts(inventory, { switching, asking: [...asking, ...proxies.flatMap((one) => one.hosts)], chosen })
  return staged(book, inventory, { all, switching, asking, hosts, proxies })
}

/** Whether it serves, and in another way than the inventory wants. */
export const changes = ({ web, speaks }: WebLook): boolean =>
  speaks !== undefined &&
  (web.certified ?? false) !== (speaks === 'tls') &&
  (web.certified !== undefined || !hasTls(web))

/** A member that is restarted hears those alone that gossip as it does: they change together, and by an operation of its own. */
const refuseGossip = async (inventory: Inventory, { hosts, reach, tags }: Chosen): Promise<void> => {
  const may = ({ name }: Pick<Role, 'name'>): boolean => !tags || tags.includes(name)
  const found = await Promise.all([
    may(alertmanager) ? gossipOf(inventory, { hosts, reach }) : [],
    may(cortexAlertmanager) ? ringModesOf(inventory, { hosts, reach }) : [],
  ])
  const other = found.flat().filter(({ mode, wanted }) => mode !== wanted)
  const [first] = other
  if (!first) return
  throw new InputError([
    {
      where: listed(other.map(({ host }) => host.name)),
      what: `gossip ${gossipInWords(first.mode)}, and are to do so ${gossipInWords(first.wanted)}: a deploy, which takes one after the other, would split the cluster`,
      fix: 'vestal certificates gossip changes all at once, and says beforehand what that means; or take tls: { gossip: … } back.',
    },
  ])
}

const refuseParts = (
  { hosts: everyone }: Inventory,
  {
    switching,
    asking,
    chosen: { hosts, tags },
  }: { readonly switching: readonly WebLook[]; readonly asking: readonly Host[]; readonly chosen: Chosen },
): void => {
  const what = `TLS is to be turned on or off on ${listed([...new Set(switching.map(({ host }) => host.name))])}`
  const left = asking.filter((host) => !hosts.includes(host)).map(({ name }) => name)
  if (left.length > 0)
    throw new InputError([
      {
        where: '--limit',
        what: `${what}, and ${listed(left)}, which asks there, would not know`,
        fix: 'Deploy the whole fleet once, without --limit.',
      },
    ])
  if (tags !== undefined)
    throw new InputError([
      { where: '--tags', what: `${what}, which takes tasks of several roles`, fix: 'Deploy once without --tags.' },
    ])
  const rulers = everyone.filter(({ groups }) => groups.includes('thanos_rule')).map(({ name }) => name)
  if (rulers.length > 0 && switching.some(({ role }) => role.key === alertmanager.key))
    throw new InputError([
      {
        where: listed(rulers),
        what: `${what}, and Thanos Rule knows one way only to send alerts there: some would be lost meanwhile`,
        fix: 'Leave Alertmanager as it is: tls: { plain: [alertmanager] }; or take the hosts out of thanos_rule for this deploy.',
      },
    ])
}

interface Fleet {
  readonly all: readonly WebLook[]
  readonly switching: readonly WebLook[]
  /** The hosts of every Prometheus that runs. */
  readonly asking: readonly Host[]
  readonly hosts: readonly Host[]
  readonly proxies: readonly Proxy[]
}

const staged = (book: Playbook, inventory: Inventory, fleet: Fleet): Playbook => {
  const { switching, asking, hosts, proxies } = fleet
  const among = (some: readonly Host[]) => (host: Host) => some.includes(host)
  const done = new Set<WebLook>()
  const passing = (name: string, role: Role): Play => ({ name, hosts: among(asking), roles: [role], passing: true })
  const first = stageOf(inventory, fleet, { done, both: true })
  const plays = book.plays.flatMap((play): readonly Play[] => {
    const mine = (host: Host) =>
      switching.filter((one) => !done.has(one) && one.host === host && rolesOn(host, play.roles).includes(one.role))
    const moving = hosts.filter((host) => play.hosts(host) && mine(host).length > 0)
    const parts = partsOf(play, moving, inventory)
    return parts
      .flatMap((part, at): readonly Play[] => {
        for (const host of part) for (const one of mine(host)) done.add(one)
        const stage = stageOf(inventory, fleet, { done, both: false })
        const earlier = new Set(parts.slice(0, at).flat())
        const last = at === parts.length - 1
        return [
          {
            ...withStage(play, stage, { proxies, first }),
            name: parts.length > 1 ? `${play.name}: TLS, ${at + 1} of ${parts.length}` : play.name,
            hosts: last ? (host) => play.hosts(host) && !earlier.has(host) : among(part),
            ...(!last && { batch: part.length }),
          },
          passing('Every Prometheus scrapes them as they are now', follower(stage)),
        ]
      })
      .concat(
        parts.length === 0
          ? [withStage(play, stageOf(inventory, fleet, { done, both: false }), { proxies, first })]
          : [],
      )
  })
  return {
    ...book,
    onFailure: 'stop',
    plays: [
      passing('Every Prometheus sends with TLS and without', opener(first)),
      ...proxies.map((proxy) => ({
        name: `${proxy.title} with TLS and without`,
        hosts: among(proxy.hosts),
        roles: [{ ...told(proxy, first, 'told both ways'), ...(proxy.knows && { healthy: proxy.knows }) }],
        passing: true,
      })),
      ...plays,
      passing('Every Prometheus sends in the new way only', closer(inventory)),
      ...proxies.map((proxy) => ({
        name: `${proxy.title} in the new way only`,
        hosts: among(proxy.hosts),
        roles: [{ ...told(proxy, inventory, 'told the new way'), healthy: proxy.role.healthy }],
        passing: true,
      })),
    ],
  }
}

/** A play in which every Prometheus asks others as they are at this stage, and proxies in both ways. */
const withStage = (
  play: Play,
  stage: Inventory,
  { proxies, first }: { readonly proxies: readonly Proxy[]; readonly first: Inventory },
): Play => ({
  ...play,
  roles: play.roles.map((role) => {
    if (role.key === prometheus.key) return prometheusAt(stage)
    const proxy = proxies.find((one) => one.role.key === role.key)
    return proxy
      ? {
          ...role,
          tasks: (scope) => askingBothWays(proxy, role.tasks(scope), { host: scope.host, first }),
          healthy: role.serves,
        }
      : role
  }),
})

/** The tasks of a proxy's role, but for whom it asks and what reads that: which know both ways. */
const askingBothWays = (
  { role, files, reads, hosts }: Proxy,
  wanted: readonly Task[],
  { host, first }: { readonly host: Host; readonly first: Inventory },
): readonly Task[] => {
  if (!hosts.includes(host)) return wanted
  const both = new Map(tasksIn(first, host.name, role).map((task) => [taskId(task), task]))
  return wanted.map((task) =>
    files(task) || (reads && taskId(task) === `service ${reads.service}`) ? (both.get(taskId(task)) ?? task) : task,
  )
}

/** A few hosts at a time: as many as the play itself would interrupt at once, or a quarter; neighbours of the inventory apart. */
const partsOf = (
  { batch, apart }: Play,
  hosts: readonly Host[],
  inventory: Inventory,
): readonly (readonly Host[])[] => {
  if (batch !== undefined || apart)
    return batchesOf(
      hosts,
      { batch, apart: apart && ((host) => apart(host, inventory)), of: hosts.length },
      (one) => one,
    )
  const parts = Math.ceil(hosts.length / Math.max(1, Math.floor(hosts.length / 4)))
  return Array.from({ length: hosts.length === 0 ? 0 : parts }, (_, part) =>
    hosts.filter((__, at) => at % parts === part),
  )
}

/** The inventory as the fleet is once these have changed; `both`: who sends to one that changes tries both ways. */
const stageOf = (
  inventory: Inventory,
  { all, switching }: Fleet,
  { done, both }: { readonly done: ReadonlySet<WebLook>; readonly both: boolean },
): Inventory => {
  const known = inventory.hosts.find(({ tls }) => tls)?.tls
  const usual: Tls = known ?? {
    ...{ plain: [], gossip: false, names: [], lifetime: '30d', renewBefore: '10d' },
    authority: readAuthority(inventory)?.bundle ?? '',
  }
  const hosts = inventory.hosts.map((host): Host => {
    const mine = all.filter((one) => one.host === host)
    if (mine.length === 0) return host
    const moving = mine.filter((one) => switching.includes(one))
    const { own: _, ...others } = usual
    const tls = host.tls ?? { ...others, plain: [], gossip: false }
    const plain = tls.plain.filter((name) => !moving.some(({ role }) => role.name === name))
    const isPlain = (one: WebLook): boolean =>
      one.speaks === undefined || done.has(one) ? !one.web.certified : one.speaks === 'plain'
    return {
      ...host,
      tls: {
        ...tls,
        plain,
        stage: {
          plain: mine.filter((one) => isPlain(one) && !plain.includes(one.role.name)).map(({ role }) => role.name),
          both: both ? moving.map(({ role }) => role.name) : [],
        },
      },
    }
  })
  return { ...inventory, hosts }
}

/** Those that run of a kind that asks in the place of others, and sees by itself which of two ways is the one. */
interface Proxy {
  readonly title: string
  readonly role: Role
  readonly hosts: readonly Host[]
  /** Whether a task writes whom it asks. */
  files(task: Task): boolean
  /** The service that reads its configuration on a reload; undefined where it is read again by itself. */
  readonly reads?: { readonly service: string; readonly config: string }
  /** That it has read what it was told, where nothing else says so. */
  knows?(scope: { readonly host: Host }): readonly Gate[]
}

const proxiesOn = async (inventory: Inventory, reach: Reach): Promise<readonly Proxy[]> => {
  const kinds = [
    { title: 'Every gateway asks', role: gateway as Role, service: 'gateway', ...reading('gateway', GATEWAY) },
    { title: 'Every Thanos Query asks', role: thanosQuery as Role, service: RELAY, ...reading(RELAY, RELAY_CONFIG) },
    {
      title: 'Every Thanos Rule asks',
      role: thanosRule as Role,
      service: 'thanos-rule',
      files: isEndpoints,
      knows: ({ host }: { readonly host: Host }) => [endpointsRead(host)],
    },
  ]
  return (
    await Promise.all(
      kinds.map(async (kind) => {
        const known = inventory.hosts.filter((host) => host.link.mistakes === undefined && isOn(kind.role, host))
        const running = await Promise.all(known.map((host) => isUp(host, kind.service, reach)))
        return { ...kind, hosts: known.filter((_, at) => running[at]) }
      }),
    )
  ).filter(({ hosts }) => hosts.length > 0)
}

const reading = (service: string, config: string): Pick<Proxy, 'files' | 'reads'> => ({
  files: (task) => taskId(task) === `file ${config}`,
  reads: { service, config },
})

const isUp = async (host: Host, service: string, reach: Reach): Promise<boolean> => {
  const asked = await answered(async () =>
    (await reach(host)).exec(`systemctl is-active --quiet ${service}`, { within: '30s' }),
  )
  return asked?.code === 0
}

/** Whom it asks at this stage alone, which it reads again. */
const told = ({ role, files, reads }: Proxy, stage: Inventory, when: string): Role => ({
  ...role,
  tasks: ({ host }) =>
    tasksIn(stage, host.name, role).flatMap((task) => {
      // Its own certificate too, which the configuration may name.
      if (task.tags?.includes(CERTIFICATES) || files(task)) return [task]
      return reads && taskId(task) === `service ${reads.service}` ? [reloaded(task, when, reads.config)] : []
    }),
  healthy: () => [],
})

/** What the role wants of a host of this name in another inventory. */
const tasksIn = (inventory: Inventory, name: string, role = prometheus as Role): readonly Task[] => {
  const host = inventory.hosts.find((one) => one.name === name)
  return host ? role.tasks(scopeOf(role, host, inventory)) : []
}

/** Prometheus as it is to be, asking others as they are at this stage. */
const prometheusAt = (stage: Inventory): Role => ({
  ...(prometheus as Role),
  tasks: ({ host }) => tasksIn(stage, host.name),
})

const isTargets = (task: Task, host: Host): boolean => taskId(task).startsWith(`file ${targetsFolder(host)}/`)
const isTrust = (task: Task): boolean => [`directory /etc/vestal`, `file ${AUTHORITY}`].includes(taskId(task))

/** Target files alone. */
const follower = (stage: Inventory): Role => ({
  ...(prometheus as Role),
  tasks: ({ host }) => tasksIn(stage, host.name).filter((task) => isTargets(task, host)),
  healthy: () => [],
})

/** What whom it asks and sends to is written in, and read again; nothing is restarted. `when` tells one such moment of a run from another. */
const asked = (inventory: Inventory, host: Host, when: string): readonly Task[] =>
  tasksIn(inventory, host.name).flatMap((task) => {
    if (isTrust(task) || isTargets(task, host) || taskId(task) === `file ${configOf(host)}`) return [task]
    return taskId(task) === `service ${serviceOn(prometheus, host)}` ? [reloaded(task, when, configOf(host))] : []
  })

/**
 * Has read its configuration again, whatever else is to become of it. A task of its own, as what a service has loaded is read against what the task says it
 * should have: all tasks of one name would be read as the last of them.
 */
const reloaded = (task: Task, when: string, config: string): Task => {
  const data = task.data as ServiceData
  return {
    ...task,
    key: `${task.key}, ${when}`,
    desired: { loaded: 'same' },
    data: { ...data, starts: [], loads: data.loads.filter(({ path }) => path === config) },
  }
}

const opener = (stage: Inventory): Role => ({
  ...(prometheus as Role),
  tasks: ({ host }) => asked(stage, host, 'told both ways'),
  healthy: ({ host }) => {
    const here = stage.hosts.find(({ name }) => name === host.name)
    if (!here) return []
    const scope = scopeOf(prometheus, here, stage)
    const self = endpointOf(here, scope.vars)
    const wanted = [...alertmanagersOf(scope), ...ringOf(scope)].map(
      ({ host: to, web }) => `${hasTls(web) ? 'https' : 'http'}://${joined(to.address, portOf(web.listen))}`,
    )
    return [configInForce(self), sendsBothWays(self, wanted)]
  },
})

const closer = (inventory: Inventory): Role => ({
  ...(prometheus as Role),
  tasks: ({ host }) => asked(inventory, host, 'told the new way'),
})
