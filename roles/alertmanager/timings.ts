/** How long members of a cluster take to tell each other, to wait for each other, and to begin to notify; one follows from the other. */
import { milliseconds } from '../../lib/duration.ts'
import type { Duration } from '../../lib/model.ts'
import type { AlertmanagerVars } from './vars.ts'

type Timings = AlertmanagerVars['cluster']

/** A member that starts looks five times, each ten gossip intervals after the other, until nothing changes (`Settle` in Alertmanager's `cluster/cluster.go`). */
export const INTERVALS_TO_SETTLE = 50
const SHARE_OF_PEER_TIMEOUT = 75

/**
 * How often news is sent to other members. Where none is set, a member settles within two thirds of `peer_timeout`: it notifies again before the one after it has
 * waited for it. With both at the same moment, each notifies of the same alert, sooner than it hears of the other. Alertmanager's own 200ms is the longest.
 */
export const gossipInterval = ({ gossip_interval, peer_timeout }: Timings): Duration =>
  gossip_interval ?? `${Math.max(10, Math.min(200, Math.floor(milliseconds(peer_timeout) / SHARE_OF_PEER_TIMEOUT)))}ms`

/** From the start of a member until it notifies, at most. Milliseconds. */
export const settlesMs = (cluster: Timings): number =>
  Math.min(INTERVALS_TO_SETTLE * milliseconds(gossipInterval(cluster)), milliseconds(cluster.settle_timeout))

/**
 * How often whole states are compared. Where none is set, a third of the time that a member waits for the one before it. Gossip sends each piece of news four
 * times, to members taken by lot: of many that are sent at once each member misses some (memberlist, `gossip` in state.go). By Alertmanager's own setting it hears
 * of them within a minute, when whole states are compared: long after it has notified too.
 */
export const pushpullInterval = ({ pushpull_interval, peer_timeout }: Timings): Duration =>
  pushpull_interval ?? `${Math.max(1, Math.round(milliseconds(peer_timeout) / 3))}ms`
