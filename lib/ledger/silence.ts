import { setTimeout as sleep } from 'node:timers/promises'
import { answered } from '../answered.ts'
import { endSilence, makeSilence, silenceOf, silencesOf } from '../api/alertmanager.ts'
import type { Endpoint } from '../api/endpoint.ts'
import { firstOf } from '../api/first-of.ts'
import { HostError } from '../errors.ts'
import type { Reach } from '../model.ts'

/** A silence in the cluster, for as long as a run watches. */
export interface SilenceHold extends AsyncDisposable {
  /** Moves its end on, so that it lasts; to be called now and then. */
  renew(): Promise<void>
}
export interface SilenceWish {
  readonly matchers: Readonly<Record<string, string>>
  readonly comment: string
}
/** A run that is killed leaves it for no longer than this. */
const LASTS_MS = 10 * 60_000
const SPREAD_MS = 20_000

/** Makes a silence and waits until every member that answers has it. Throws HostError where one does not get it. */
export const holdSilence = async (
  alertmanagers: readonly Endpoint[],
  reach: Reach,
  wish: SilenceWish,
): Promise<SilenceHold> => {
  const post = (id?: string, startsAt = new Date().toISOString()): Promise<string> =>
    makeSilence(reach, alertmanagers, { id, startsAt, ...silenceBody(wish) })
  let id = await post()
  await spread(id, alertmanagers, reach)
  return {
    async renew() {
      // Another start than the one it has would make another silence of it (alertmanager silence/silence.go, canUpdate).
      const { startsAt } = await firstOf(alertmanagers, NOBODY, (one) => silenceOf(reach, one, id))
      id = await post(id, startsAt)
    },
    async [Symbol.asyncDispose]() {
      await endSilence(reach, alertmanagers, id).catch(() => undefined)
    },
  }
}

const silenceBody = ({ matchers, comment }: SilenceWish) => ({
  matchers: Object.entries(matchers).map(([name, value]) => ({ name, value, isRegex: false, isEqual: true })),
  endsAt: new Date(Date.now() + LASTS_MS).toISOString(),
  createdBy: 'vestal',
  comment,
})

const spread = async (id: string, alertmanagers: readonly Endpoint[], reach: Reach): Promise<void> => {
  for (const deadline = Date.now() + SPREAD_MS; ; await sleep(250)) {
    const lacking = (await Promise.all(alertmanagers.map((one) => lacks(one, id, reach)))).filter(
      (host) => host !== null,
    )
    const [host] = lacking
    if (host === undefined) return
    if (Date.now() > deadline)
      throw new HostError(host, 'its Alertmanager does not get a silence that was made on another member', {
        hint: 'Do the members gossip with each other? `vestal status` says. --no-watch-alerts goes on without canary alerts.',
      })
  }
}

const lacks = async (endpoint: Endpoint, id: string, reach: Reach): Promise<string | null> => {
  const found = await answered(() => silencesOf(reach, endpoint))
  if (!found) return null
  return found.items.some((one) => one.id === id && one.status.state === 'active') ? null : endpoint.host.name
}

const NOBODY = new HostError('fleet', 'there is no Alertmanager to hold a silence')
