/**
 * Gossip of Alertmanagers, and of a ring, turned to TLS, or back, on a fleet that serves. A member hears those alone that gossip as it does, so there is a window however it is
 * done: one after the other, each side notifies by itself; all at once, nobody notifies until they have found each other again. The second is what is done,
 * with the alerts that they held given back, as it delays and notifies nothing twice.
 */
import { milliseconds } from '../../lib/duration.ts'
import { InputError } from '../../lib/errors.ts'
import { alertmanagerServes } from '../../lib/gates/alertmanager.ts'
import { serviceKind } from '../../lib/kinds/service.ts'
import type { Advice, Gate, Host, Inventory, Kind, Play, Playbook, Reach, Role, Task } from '../../lib/model.ts'
import { scopeOf } from '../../lib/playbook.ts'
import { endpointOf } from '../../lib/program/web.ts'
import { listed } from '../../lib/wording.ts'
import { type GossipMode, gossipInWords, gossipOf } from '../../roles/alertmanager/gossip-tls.ts'
import { keptAlerts } from '../../roles/alertmanager/hand-over.ts'
import { alertmanager } from '../../roles/alertmanager/role.ts'
import { silencesSaved } from '../../roles/alertmanager/save-silences.ts'
import { gossipInterval, settlesMs } from '../../roles/alertmanager/timings.ts'
import { instanceReady } from '../../roles/cortex-alertmanager/gates.ts'
import { memberOf } from '../../roles/cortex-alertmanager/members.ts'
import { cortexAlertmanager } from '../../roles/cortex-alertmanager/role.ts'
import { ringModesOf } from '../../roles/cortex-alertmanager/tls.ts'
import { has } from '../plays.ts'
import { lookAtWeb } from './look.ts'
import { changes } from './switch.ts'

interface Chosen {
  readonly hosts: readonly Host[]
  readonly reach: Reach
  /** One member after the other, which splits the cluster meanwhile. */
  readonly oneByOne: boolean
}
export interface GossipSwitch {
  readonly to: GossipMode
  readonly book: Playbook
  readonly advice: readonly Advice[]
}

interface Turn {
  readonly to: GossipMode
  readonly plays: readonly Play[]
  readonly advice: Advice
}

/**
 * What turns the members that gossip otherwise than the inventory says, of Alertmanagers and of a ring; null where all do as it says. Asks, and changes nothing. Throws
 * InputError where it can't be done.
 */
export const gossipSwitch = async (inventory: Inventory, chosen: Chosen): Promise<GossipSwitch | null> => {
  const turns = (await Promise.all([clusterTurn(inventory, chosen), ringTurn(inventory, chosen)])).flat()
  const [first] = turns
  if (!first) return null
  return {
    to: first.to,
    book: bookOf(...turns.flatMap(({ plays }) => plays)),
    advice: turns.map(({ advice }) => advice),
  }
}

const clusterTurn = async (inventory: Inventory, chosen: Chosen): Promise<readonly Turn[]> => {
  const members = inventory.hosts.filter(has(alertmanager))
  const found = await gossipOf(inventory, { hosts: members, reach: chosen.reach })
  const [first] = found.filter(({ mode, wanted }) => mode !== wanted)
  if (!first) return []
  await refuse(inventory, { role: alertmanager as Role, members }, chosen)
  const to = first.wanted
  return [
    {
      to,
      plays: chosen.oneByOne ? oneByOne(members, to) : [together(members, to)],
      advice: adviceOn(members, { to, serially: chosen.oneByOne }),
    },
  ]
}

const ringTurn = async (inventory: Inventory, chosen: Chosen): Promise<readonly Turn[]> => {
  const members = inventory.hosts.filter(has(cortexAlertmanager))
  const found = await ringModesOf(inventory, { hosts: members, reach: chosen.reach })
  const [first] = found.filter(({ mode, wanted }) => mode !== wanted)
  if (!first) return []
  await refuse(inventory, { role: cortexAlertmanager as Role, members }, chosen)
  if (chosen.oneByOne)
    throw new InputError([
      {
        where: '--one-by-one',
        what: `a ring, that of ${listed(members.map(({ name }) => name))}, can only turn as a whole: in between there would be two, of which each hands its tenants’ alerts to some of their instances`,
        fix: 'Leave it out.',
      },
    ])
  const to = first.wanted
  return [{ to, plays: [ringTogether(members, to)], advice: ringAdvice(members) }]
}

const refuse = async (
  inventory: Inventory,
  { role, members }: { readonly role: Role; readonly members: readonly Host[] },
  { hosts, reach }: Chosen,
): Promise<void> => {
  const left = members.filter((host) => !hosts.includes(host)).map(({ name }) => name)
  if (left.length > 0)
    throw new InputError([
      {
        where: '--limit',
        what: `members change how they gossip together, and ${listed(left)} would be left out`,
        fix: 'Leave it out.',
      },
    ])
  const web = (await lookAtWeb(inventory, { hosts: members, reach })).filter(
    (look) => look.role.key === role.key && changes(look),
  )
  if (web.length > 0)
    throw new InputError([
      {
        where: listed(web.map(({ host }) => host.name)),
        what: 'TLS is to be turned on or off at its web port too, which Prometheus has to know of',
        fix: 'That goes by itself: set tls: { gossip: … } as it was, deploy, then set it again and turn gossip.',
      },
    ])
}

const titled = (to: GossipMode, how: string): string => `Alertmanagers gossip ${gossipInWords(to)}, ${how}`

/** All members in one batch. What they were being sent is read before, and given back to all of them as soon as they answer. */
const together = (members: readonly Host[], to: GossipMode): Play => {
  const alerts = keptAlerts()
  const role: Role = {
    ...(alertmanager as Role),
    tasks: (scope) => afterEachOther((alertmanager as Role).tasks(scope), turnOf(members, scope.host)),
    ...(alertmanager.rollout && {
      rollout: { ...alertmanager.rollout, catchUp: (scope, reach, signal) => alerts.giveBack(scope, reach, signal) },
    }),
  }
  return {
    name: titled(to, 'all at once'),
    hosts: (host) => members.includes(host),
    roles: [role],
    batch: members.length,
    before: ({ batch }) => batch.map(serves),
    keep: async (scope, keeping) => {
      await silencesSaved(scope, keeping)
      await alerts.keep(scope, keeping)
    },
    onGateFailure: 'take-back',
  }
}

/**
 * All instances of a ring in one batch. Each has its silences and what was notified on its own disk when it is stopped (cortex `pkg/alertmanager/alertmanager.go`,
 * Maintenance), and its tokens; alerts it has from who sends them again.
 */
const ringTogether = (members: readonly Host[], to: GossipMode): Play => ({
  name: `Instances of the ring speak to each other ${gossipInWords(to)}, all at once`,
  hosts: (host) => members.includes(host),
  roles: [cortexAlertmanager as Role],
  batch: members.length,
  before: ({ batch }) => batch.map((host) => instanceReady(memberOf(host))),
  onGateFailure: 'take-back',
})

const ringAdvice = (members: readonly Host[]): Advice => ({
  level: 'warns',
  where: listed(members.map(({ name }) => name)),
  what: 'all instances of the ring restart at once: for some seconds, more with more tenants, nobody takes alerts of its tenants or notifies; one that waits to be notified, or begins meanwhile, can be a minute late, as Prometheus sends it again no sooner',
  why: 'Cortex has no mixed mode: an instance with TLS hears only instances with TLS, by gossip and by gRPC.',
  fix: 'Nothing is lost: silences, and what was notified, each instance has on its disk. --watch-alerts measures it.',
})

/**
 * How long after the first a member of one batch is restarted, in seconds. One that is stopped tells another that it leaves, which takes some gossip intervals, and
 * waits ten seconds where all others leave at the same moment (`Leave` in memberlist's `memberlist.go`, and in Alertmanager's `main.go`). None that has been
 * restarted notifies before the last is: that is 50 of them later (`Settle`).
 */
const turnOf = (members: readonly Host[], host: Host): number => {
  const interval = milliseconds(gossipInterval(alertmanager.varsOf(host).cluster))
  return (members.indexOf(host) * Math.max(INTERVALS_APART * interval, LEAST_APART_MS)) / 1_000
}
const INTERVALS_APART = 7.5
const LEAST_APART_MS = 500

const afterEachOther = (tasks: readonly Task[], seconds: number): readonly Task[] =>
  tasks.map((task) => {
    if (task.kind.name !== serviceKind.name || seconds === 0) return task
    const converge: Kind['converge'] = (change) =>
      task.kind
        .converge(change)
        .map((step) => (step.interrupts ? { ...step, run: `sleep ${seconds}\n${step.run}` } : step))
    return { ...task, kind: { ...task.kind, converge } }
  })

/** One by one, as any change of theirs goes: whether they see each other can be asked at the end alone. */
const oneByOne = (members: readonly Host[], to: GossipMode): readonly Play[] => {
  const role: Role = {
    ...(alertmanager as Role),
    healthy: ({ host }) => [serves(host)],
    serves: ({ host }) => [serves(host)],
  }
  const seen = (inventory: Inventory): readonly Gate[] =>
    members.flatMap((host) => alertmanager.serves(scopeOf(alertmanager, host, inventory)))
  return [
    {
      name: titled(to, 'one by one'),
      hosts: (host) => members.includes(host),
      roles: [role],
      batch: 1,
      keep: silencesSaved,
    },
    {
      name: 'Members see each other again',
      hosts: (host) => members.includes(host),
      roles: [],
      after: ({ inventory }) => seen(inventory),
    },
  ]
}

const serves = (host: Host): Gate => alertmanagerServes(endpointOf(host, alertmanager.varsOf(host)))

const bookOf = (...plays: readonly Play[]): Playbook => ({
  name: 'certificates-gossip',
  summary: 'Turns the gossip of Alertmanagers, and of a ring, to TLS, or back.',
  onFailure: 'stop',
  plays,
})

const adviceOn = (
  members: readonly Host[],
  { to, serially }: { readonly to: GossipMode; readonly serially: boolean },
): Advice => {
  const seconds = Math.ceil(Math.max(...members.map((host) => settlesMs(alertmanager.varsOf(host).cluster))) / 1_000)
  return {
    level: 'warns',
    where: listed(members.map(({ name }) => name)),
    what: serially
      ? `while one after the other turns to gossip ${gossipInWords(to)}, the cluster is split: each side notifies by itself, and what both have is notified twice`
      : `all members restart at once: for about ${seconds + 5} s nobody notifies; an alert that begins meanwhile can be a minute late, as Prometheus sends it again no sooner`,
    why: 'Alertmanager has no mixed mode: a member with TLS hears only members with TLS.',
    fix: serially
      ? 'Without --one-by-one all restart at once: nothing is notified twice.'
      : 'Nothing is lost: they hold their silences and what was notified on disk, and are given back the alerts that they held. --watch-alerts measures it.',
  }
}
