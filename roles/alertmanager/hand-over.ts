import { setTimeout as sleep } from 'node:timers/promises'
import { answered } from '../../lib/answered.ts'
import {
  alertsOf,
  type HeldAlert,
  type Listed,
  postAlerts,
  type SentAlert,
  statusOf,
} from '../../lib/api/alertmanager.ts'
import type { Endpoint } from '../../lib/api/endpoint.ts'
import { HostError } from '../../lib/errors.ts'
import { isBeingSent, isOfOneMember } from '../../lib/gates/state-parity.ts'
import type { CaughtUp, KeepContext, PlayScope, Reach } from '../../lib/model.ts'
import { endpointOf } from '../../lib/program/web.ts'
import { counted } from '../../lib/wording.ts'
import { alertmanagerOn } from './vars.ts'

/** How long a restarted Alertmanager may take until it answers at all. */
const ANSWERS_WITHIN_MS = 30_000

/**
 * Gives each restarted Alertmanager of a batch the alerts that others are being sent. It lacks them until Prometheus sends them again, up to a minute later, and
 * would not know by then what is inhibited. Throws HostError where one does not answer or refuses them.
 */
export const alertsHandedOver = async (
  { batch, hosts }: PlayScope,
  reach: Reach,
  signal?: AbortSignal,
): Promise<readonly CaughtUp[]> => {
  const members = hosts.filter((host) => host.groups.includes('alertmanager'))
  const at = (some: typeof hosts): readonly Endpoint[] => some.map((host) => endpointOf(host, alertmanagerOn(host)))
  const peers = at(members.filter((host) => !batch.includes(host)))
  if (peers.length === 0) return []
  const told = await Promise.all(
    at(batch.filter((host) => members.includes(host))).map(async (restarted) => {
      await answering(reach, restarted, signal)
      const count = await handOver(reach, restarted, peers)
      const what = `was handed ${counted(count, 'alert')} that others are being sent`
      return count > 0 ? [{ host: restarted.host.name, what }] : []
    }),
  )
  return told.flat()
}

/** The alerts that members are being sent: kept for when all of them are restarted at once, and none is left to ask. */
export const keptAlerts = () => {
  let kept: readonly Listed<HeldAlert>[] = []
  const at = (some: PlayScope['batch']): readonly Endpoint[] =>
    some.map((host) => endpointOf(host, alertmanagerOn(host)))
  return {
    /** Reads them. One that does not answer is left out. */
    async keep({ hosts }: PlayScope, { reach }: Pick<KeepContext, 'reach'>): Promise<void> {
      kept = (await alertsOfAll(reach, at(hosts))).filter((list) => list !== null)
    },
    /**
     * Gives them back to all. What was over meanwhile Prometheus says again within its resend delay, and so what it began to send. Throws HostError where
     * one does not answer or refuses them.
     */
    async giveBack({ batch }: PlayScope, reach: Reach, signal?: AbortSignal): Promise<readonly CaughtUp[]> {
      const told = await Promise.all(
        at(batch).map(async (restarted) => {
          await answering(reach, restarted, signal)
          const handed = lacking(await alertsOf(reach, restarted), kept)
          if (handed.length === 0) return []
          await postAlerts(reach, restarted, handed.map(sent))
          return [{ host: restarted.host.name, what: `was given back ${counted(handed.length, 'alert')}` }]
        }),
      )
      return told.flat()
    },
  }
}

const answering = async (reach: Reach, restarted: Endpoint, signal: AbortSignal | undefined): Promise<void> => {
  const deadline = Date.now() + ANSWERS_WITHIN_MS
  for (;;) {
    try {
      await statusOf(reach, restarted)
      return
    } catch (error) {
      if (!(error instanceof HostError) || Date.now() >= deadline || signal?.aborted) throw error
    }
    await sleep(100, undefined, { signal }).catch(() => undefined)
  }
}

/**
 * Hands over what the peers are being sent and the restarted one lacks, and then the ends of those that are over meanwhile. A peer that does not answer is left out.
 * Returns how many alerts it was handed.
 */
const handOver = async (reach: Reach, restarted: Endpoint, peers: readonly Endpoint[]): Promise<number> => {
  const [own, before] = await Promise.all([alertsOf(reach, restarted), alertsOfAll(reach, peers)])
  const handed = lacking(
    own,
    before.filter((list) => list !== null),
  )
  if (handed.length === 0) return 0
  const now = await postAlerts(reach, restarted, handed.map(sent))
  const after = await alertsOfAll(reach, peers)
  // One that answers no more has what it had, as far as anybody knows.
  const still = after.flatMap((list, index) => list ?? before[index] ?? [])
  await postAlerts(reach, restarted, endedSince(handed, still, now))
  return handed.length
}

const alertsOfAll = (reach: Reach, peers: readonly Endpoint[]): Promise<readonly (Listed<HeldAlert> | null)[]> =>
  Promise.all(peers.map((peer) => answered(() => alertsOf(reach, peer))))

/** The alerts that peers are being sent, and this one lacks. */
export const lacking = (own: Listed<HeldAlert>, peers: readonly Listed<HeldAlert>[]): readonly HeldAlert[] => {
  const held = new Set(own.items.map(({ fingerprint }) => fingerprint))
  return [...newest(peers)].filter(([fingerprint]) => !held.has(fingerprint)).map(([, alert]) => alert)
}

/**
 * The ends of alerts that were handed over and that no peer holds any longer: they ended between the reading and the sending, and the restarted member would hold
 * them until Prometheus says so again, a minute later. `now` is its own time; none ends before its beginning. One that began anew it was sent itself.
 */
export const endedSince = (
  handed: readonly HeldAlert[],
  after: readonly Listed<HeldAlert>[],
  now: number,
): readonly SentAlert[] => {
  const held = new Set(after.flatMap(({ items }) => items.map(({ fingerprint }) => fingerprint)))
  return handed
    .filter(({ fingerprint }) => !held.has(fingerprint))
    .map((alert) => ({
      ...sent(alert),
      endsAt: new Date(Math.max(now, Date.parse(alert.startsAt) + 1)).toISOString(),
    }))
}

/** Each alert as the peer that heard of it last has it, by fingerprint. */
const newest = (lists: readonly Listed<HeldAlert>[]): ReadonlyMap<string, HeldAlert> => {
  const found = new Map<string, HeldAlert>()
  for (const { items, now } of lists)
    for (const alert of items) {
      const known = found.get(alert.fingerprint)
      if (isOfOneMember(alert)) continue
      if (isBeingSent(alert, now) && (!known || Date.parse(known.updatedAt) < Date.parse(alert.updatedAt)))
        found.set(alert.fingerprint, alert)
    }
  return found
}

const sent = ({ labels, annotations, startsAt, endsAt, generatorURL }: HeldAlert): SentAlert => ({
  labels,
  annotations,
  startsAt,
  endsAt,
  ...(generatorURL && { generatorURL }),
})
