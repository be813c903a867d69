import { alertsOf, type HeldAlert, isAlive, silencesOf } from '../api/alertmanager.ts'
import type { Endpoint } from '../api/endpoint.ts'
import { HostError } from '../errors.ts'
import type { Gate, Reach, Verdict } from '../model.ts'
import { joined } from '../program/web.ts'
import { counted, listed } from '../wording.ts'
import { missingFrom } from './missing-from.ts'

/** Prometheus sends to all Alertmanagers at once; this long after, an alert must be everywhere. */
const UNDER_WAY_MS = 15_000
/** Prometheus sends a firing alert again a minute later, at the next evaluation; one not heard of for longer isn't sent by a Prometheus that serves. */
const REFRESHED_MS = 150_000

/**
 * An Alertmanager holds what its peers hold: the same silences, and every firing alert that a peer is being sent. Alerts are
 * neither gossiped nor stored, so a restarted one lacks them until Prometheus sends them again, up to a minute later; restarting
 * the next one before that would lose them everywhere. Clocks are each peer's own.
 */
export const stateParity = (alertmanager: Endpoint, peers: readonly Endpoint[]): Gate => ({
  name: 'Alertmanager holds the silences and alerts of its peers',
  host: alertmanager.host.name,
  within: '4m',
  async ask(reach) {
    const [mine, { theirs, silent }] = await Promise.all([stateOf(reach, alertmanager), askPeers(reach, peers)])
    const differences = theirs.flatMap((peer) => [
      ...lacking('silence', missingFrom(peer.silences, mine.silences), { who: `${peer.host} lacks` }),
      ...lacking('silence', missingFrom(mine.silences, peer.silences), { who: 'lacks', of: peer.host }),
      ...lacking('alert', except(peer.firing, mine.alerts), { who: 'lacks', of: peer.host }),
    ])
    if (differences.length + silent.length > 0) return no(differences, silent)
    return { pass: true, detail: `${counted(mine.silences.size, 'silence')}, ${counted(mine.alerts.size, 'alert')}` }
  },
})

/** An Alertmanager holds the silences of its peers. Asked of one that no Prometheus sends to yet, which can hold no alerts. */
export const silenceParity = (alertmanager: Endpoint, peers: readonly Endpoint[]): Gate => ({
  name: 'Alertmanager holds the silences of its peers',
  host: alertmanager.host.name,
  within: '4m',
  async ask(reach) {
    const [mine, { theirs, silent }] = await Promise.all([stateOf(reach, alertmanager), askPeers(reach, peers)])
    const differences = theirs.flatMap((peer) => [
      ...lacking('silence', missingFrom(mine.silences, peer.silences), { who: 'lacks', of: peer.host }),
    ])
    return differences.length + silent.length > 0 ? no(differences, silent) : { pass: true }
  },
})

interface Holdings {
  readonly host: string
  /** The ids of silences that are active or pending. */
  readonly silences: ReadonlySet<string>
  /** The fingerprints of all alerts. */
  readonly alerts: ReadonlySet<string>
  /** The names, by fingerprint, of those that a Prometheus keeps sending and all members must have. */
  readonly firing: ReadonlyMap<string, string>
}

/** A peer that does not say what it holds, and why. */
interface Silent {
  readonly peer: Endpoint
  readonly why: string
}

/** Where nothing but peers that don't answer is in the way, they are what it lacks. */
const no = (differences: readonly string[], silent: readonly Silent[]): Verdict => ({
  pass: false,
  why: [...silent.map(({ peer, why }) => `what ${peer.host.name} holds can’t be asked: ${why}`), ...differences].join(
    '; ',
  ),
  ...(differences.length === 0 && { lacks: silent.map(({ peer: { host, port } }) => joined(host.address, port)) }),
})

const askPeers = async (
  reach: Reach,
  peers: readonly Endpoint[],
): Promise<{ readonly theirs: readonly Holdings[]; readonly silent: readonly Silent[] }> => {
  const answers = await Promise.all(
    peers.map(async (peer): Promise<Holdings | Silent> => {
      try {
        return await stateOf(reach, peer)
      } catch (error) {
        if (error instanceof HostError) return { peer, why: error.message }
        throw error
      }
    }),
  )
  return {
    theirs: answers.filter((one) => 'silences' in one),
    silent: answers.filter((one) => 'peer' in one),
  }
}

const stateOf = async (reach: Reach, endpoint: Endpoint): Promise<Holdings> => {
  const [silences, alerts] = await Promise.all([silencesOf(reach, endpoint), alertsOf(reach, endpoint)])
  const known = holdings.get(alerts.items)
  if (known?.of === silences.items) return known
  const settledBefore = alerts.now - UNDER_WAY_MS
  const firing = alerts.items.filter(
    (alert) => Date.parse(alert.startsAt) < settledBefore && isBeingSent(alert, alerts.now) && !isOfOneMember(alert),
  )
  const made = {
    of: silences.items,
    host: endpoint.host.name,
    silences: new Set(silences.items.filter(isAlive).map(({ id }) => id)),
    alerts: new Set(alerts.items.map(({ fingerprint }) => fingerprint)),
    firing: new Map(firing.map(({ fingerprint, labels }) => [fingerprint, labels.alertname ?? fingerprint])),
  }
  holdings.set(alerts.items, made)
  return made
}

/** Whether a Prometheus that serves keeps sending this alert to who holds it; `now` is the time there, in milliseconds since the epoch. */
export const isBeingSent = ({ updatedAt }: HeldAlert, now: number): boolean =>
  Date.parse(updatedAt) > now - REFRESHED_MS

/** Whether it is meant for one member alone, as the heartbeat of a path is: no other has it, or is to have it. */
export const isOfOneMember = ({ labels }: HeldAlert): boolean => labels.vestal === 'path'

/** Each member is asked about by all others at the same moment: what its answers come to is worked out once. */
const holdings = new WeakMap<object, Holdings & { readonly of: unknown }>()

const except = (firing: ReadonlyMap<string, string>, held: ReadonlySet<string>): readonly string[] =>
  [...firing].filter(([fingerprint]) => !held.has(fingerprint)).map(([, name]) => name)

const lacking = (
  what: string,
  names: readonly string[],
  { who, of }: { readonly who: string; readonly of?: string },
): readonly string[] =>
  names.length === 0
    ? []
    : [`${who} ${counted(names.length, what)}${of ? ` of ${of}` : ''} (${listed([...new Set(names)], 3)})`]
