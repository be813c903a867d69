import { partitionsOf } from '../../lib/health/partitions.ts'
import type { TriedPath } from '../../lib/health/reachability.ts'
import { MUCH_STATE_BYTES, refusesLargeStates, stateText } from '../../roles/alertmanager/state-size.ts'
import { INTERVALS_TO_SETTLE } from '../../roles/alertmanager/timings.ts'
import { disagreement, type FleetFacts, type FleetRule, inBoth } from './fleet-facts.ts'
import type { AlertmanagerView, FleetView } from './view.ts'

export const alertmanagerRules: readonly FleetRule[] = [
  {
    id: 'gossip-partition',
    severity: 'error',
    why: 'Each side notifies by itself: everything arrives twice, and a silence holds on one side only.',
    fix: 'Open the gossip port both ways, TCP and UDP (with TLS: TCP alone), between all members; compare their `cluster.label`, whether they gossip with TLS, and their certificates.',
    find: ({ running }) => {
      const views = members(running).map(({ host, gossip }) => ({
        name: host,
        self: gossip.self,
        seen: gossip.seen ?? [],
      }))
      const partitions = partitionsOf(views)
      if (partitions.length < 2) return []
      return [
        {
          hosts: views.map(({ name }) => name),
          what: `the cluster is split: ${partitions.map((one) => one.join(' + ')).join(' | ')}`,
        },
      ]
    },
  },
  {
    id: 'gossip-tcp',
    severity: 'error',
    why: 'Members join and compare their whole state over TCP: without it a restarted one doesn’t come back, and silences are missed for good.',
    fix: 'Open the gossip port for TCP, both ways, between all members.',
    find: (facts) => blocked(facts, 'tcp'),
  },
  {
    id: 'gossip-udp',
    severity: 'error',
    why: 'News and signs of life go over UDP: without it members take each other for dead now and then, and notify twice.',
    fix: 'Open the gossip port for UDP too, both ways, between all members.',
    find: (facts) => blocked(facts, 'udp'),
  },
  {
    id: 'gossip-untested',
    severity: 'warning',
    why: 'Nothing listens there yet, and nothing could be made to for the test, so firewalls are not known to be open.',
    fix: 'Deploy, and check again; or install perl-base there.',
    find: ({ untested }) =>
      untested.map(({ to, why }) => ({ hosts: [to], what: `its gossip port could not be tried: ${why}` })),
  },
  {
    id: 'advertise-unroutable',
    severity: 'error',
    why: 'Other members send to the address it tells them, and nobody they can reach has it.',
    fix: 'Set `alertmanager.cluster.advertise_address` to an address of the host that the other members reach.',
    find: ({ inventory, paths }) => [
      ...members(inventory).flatMap(({ host, gossip }) =>
        /^(127\.|0\.0\.0\.0|169\.254\.|\[::1\]|\[::\]|\[fe80:)/.test(gossip.self)
          ? [{ hosts: [host], what: `tells its peers ${gossip.self}, an address of no network` }]
          : [],
      ),
      ...[...Map.groupBy(paths.filter(isLost), ({ to }) => to)].map(([to, some]) => ({
        hosts: [to],
        what: `tells its peers ${some[0]?.address}, which is none of its own addresses; ${some.map(({ from }) => from).join(', ')} can’t reach it: ${some[0]?.why}`,
      })),
    ],
  },
  {
    id: 'gossip-timings',
    severity: 'error',
    why: 'Each member waits its position × peer_timeout for those before it: with other timings they notify at the same time, twice.',
    fix: 'Set `alertmanager.cluster` for the group, not for a host, and deploy.',
    find: inBoth((view) =>
      [disagreement(members(view), ({ gossip }) => JSON.stringify(gossip.timings).replaceAll(/["{}]/g, ''))].filter(
        (one) => one !== null,
      ),
    ),
  },
  {
    id: 'gossip-settles-late',
    severity: 'warning',
    why: 'A restarted member notifies again 50 × gossip_interval later. Where the one after it has waited peer_timeout by then, both can notify in the same moment, before either hears of the other.',
    fix: 'Leave out `cluster.gossip_interval`, or make `cluster.peer_timeout` longer.',
    find: inBoth((view) => {
      const late = members(view).filter(
        ({ gossip }) => INTERVALS_TO_SETTLE * gossip.gossipIntervalMs >= gossip.peerTimeoutMs,
      )
      const [first] = late
      if (!first) return []
      const { gossipIntervalMs, peerTimeoutMs } = first.gossip
      return [
        {
          hosts: late.map(({ host }) => host),
          what: `settles ${(INTERVALS_TO_SETTLE * gossipIntervalMs) / 1_000} s after its start, and the next waits ${peerTimeoutMs / 1_000} s for it`,
        },
      ]
    }),
  },
  {
    id: 'gossip-label',
    severity: 'error',
    why: 'Members with different labels refuse each other’s packets: they are clusters of their own.',
    fix: 'Set `alertmanager.cluster.label` for the group, not for a host.',
    find: inBoth((view) =>
      [disagreement(members(view), ({ gossip }) => JSON.stringify(gossip.label))].filter((one) => one !== null),
    ),
  },
  {
    id: 'gossip-tls',
    severity: 'error',
    why: 'A member with TLS hears only members with TLS: a restarted one that gossips otherwise than the others is alone and notifies by itself.',
    fix: 'vestal certificates gossip turns all of them at once to what tls: { gossip: … } says.',
    find: ({ inventory, running }) => {
      const wanted = new Map(members(inventory).map(({ host, gossip }) => [host, gossip.tls]))
      const other = members(running).filter(({ host, gossip }) => wanted.has(host) && wanted.get(host) !== gossip.tls)
      return [...Map.groupBy(other, ({ gossip }) => gossip.tls)].map(([tls, some]) => ({
        hosts: some.map(({ host }) => host),
        what: `gossips ${tls ? 'with TLS, and is to do so in plain text' : 'in plain text, and is to do so with TLS'}`,
      }))
    },
  },
  {
    id: 'gossip-state-large',
    severity: 'warning',
    why: 'Members of 0.34 refuse a peer’s whole state above 20 MiB: silences and the notification log stop syncing, and everything is notified twice.',
    fix: 'Upgrade to 0.35.0 or later; or let old silences expire, and keep less: `alertmanager.retention`.',
    find: ({ inventory, running }) => {
      const wanted = new Map(inventory.alertmanagers.map(({ host, version }) => [host, version]))
      return members(running).flatMap(({ host, version, stateBytes = 0 }) =>
        stateBytes > MUCH_STATE_BYTES && [version, wanted.get(host) ?? version].some(refusesLargeStates)
          ? [{ hosts: [host], what: `its state is ${stateText(stateBytes)}` }]
          : [],
      )
    },
  },
  {
    id: 'group-interval',
    severity: 'warning',
    why: 'The last member waits peer_timeout × (members − 1) with a snapshot of a group. Where group_interval is not longer, it can send an alert as firing after another has sent it as resolved.',
    fix: 'Make `group_interval` longer, or `cluster.peer_timeout` shorter.',
    find: inBoth((view) => {
      const gossiping = members(view)
      const [slowest] = gossiping.toSorted((one, other) => one.groupIntervalMs - other.groupIntervalMs)
      const wait = Math.max(0, ...gossiping.map(({ gossip }) => gossip.peerTimeoutMs)) * (gossiping.length - 1)
      if (!slowest || slowest.groupIntervalMs > wait || wait === 0) return []
      return [
        {
          hosts: gossiping.map(({ host }) => host),
          what: `the shortest group_interval is ${slowest.groupIntervalMs / 1_000} s, the last of ${gossiping.length} members waits ${wait / 1_000} s`,
        },
      ]
    }),
  },
  {
    id: 'alertmanager-alone',
    severity: 'warning',
    why: 'While it is down nobody is notified of anything.',
    fix: 'Add a second and a third Alertmanager.',
    find: ({ inventory: { alertmanagers } }) =>
      alertmanagers.length === 1
        ? [{ hosts: alertmanagers.map(({ host }) => host), what: 'the only Alertmanager' }]
        : [],
  },
  {
    id: 'alertmanager-pair',
    severity: 'warning',
    why: 'While one of two is restarted or replaced the other is alone, and a cut between them leaves each by itself: everything arrives twice.',
    fix: 'Add a third Alertmanager.',
    find: ({ inventory: { alertmanagers } }) =>
      alertmanagers.length === 2 ? [{ hosts: alertmanagers.map(({ host }) => host), what: 'a cluster of two' }] : [],
  },
]

type Member = AlertmanagerView & { readonly gossip: NonNullable<AlertmanagerView['gossip']> }
const members = ({ alertmanagers }: FleetView): readonly Member[] =>
  alertmanagers.flatMap((one) => (one.gossip ? [{ ...one, gossip: one.gossip }] : []))

/** An address that can't be reached and isn't the host's own is the wrong address, not a closed port. */
const isLost = ({ name, protocol, open, own }: TriedPath): boolean =>
  name === 'gossip' && protocol === 'tcp' && !open && !own

const blocked = ({ paths }: FleetFacts, protocol: TriedPath['protocol']) => {
  const lost = new Set(paths.filter(isLost).map(({ to }) => to))
  return paths
    .filter((path) => path.name === 'gossip' && path.protocol === protocol && !path.open && !lost.has(path.to))
    .map(({ from, to, address, port, why }) => ({
      hosts: [from, to],
      what: `${from} does not reach ${to} at ${address}:${port} by ${protocol.toUpperCase()}: ${why}`,
    }))
}
