import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { askJson, type Endpoint, read, send } from '../api/endpoint.ts'
import { listOf } from '../api/forms.ts'
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
    anyOf(alertmanagers, async (one) => {
      const path = '/api/v2/silences'
      const body = JSON.stringify({ id, startsAt, ...silenceBody(wish) })
      const answer = await send(reach, one, { path, method: 'POST', body })
      return read(answer, { endpoint: one, path, form: POSTED }).silenceID
    })
  let id = await post()
  await spread(id, alertmanagers, reach)
  return {
    async renew() {
      // Another start than the one it has would make another silence of it (alertmanager silence/silence.go, canUpdate).
      const { startsAt } = await anyOf(alertmanagers, (one) =>
        askJson(reach, one, { path: `/api/v2/silence/${encodeURIComponent(id)}`, form: SILENCE }),
      )
      id = await post(id, startsAt)
    },
    async [Symbol.asyncDispose]() {
      await anyOf(alertmanagers, (one) =>
        send(reach, one, { path: `/api/v2/silence/${encodeURIComponent(id)}`, method: 'DELETE' }),
      ).catch(() => undefined)
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
  try {
    const silences = await askJson(reach, endpoint, { path: '/api/v2/silences', form: SILENCES })
    return silences.some((one) => one.id === id && one.status.state === 'active') ? null : endpoint.host.name
  } catch (error) {
    if (error instanceof HostError) return null
    throw error
  }
}

const anyOf = async <T>(alertmanagers: readonly Endpoint[], call: (one: Endpoint) => Promise<T>): Promise<T> => {
  let failure: unknown
  for (const one of alertmanagers) {
    try {
      return await call(one)
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      failure ??= error
    }
  }
  throw failure
}

const POSTED = z.object({ silenceID: z.string() })
const SILENCE = z.object({ id: z.string(), startsAt: z.string(), status: z.object({ state: z.string() }) })
const SILENCES = listOf(SILENCE)
