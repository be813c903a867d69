/**
 * What an Alertmanager answers, and takes: each page of its API v2 once, in the parts that are read here. They are the same from 0.25 to 0.33. All of
 * them throw HostError where it doesn't answer, or in another form.
 */

import { z } from 'zod'
import { HostError } from '../errors.ts'
import type { HttpAnswer, Reach } from '../model.ts'
import { ask, askJson, type Endpoint, read, refused, send } from './endpoint.ts'
import { firstOf } from './first-of.ts'
import { instant, listOf, texts, versionText } from './forms.ts'

/** A silence as the API has it, and as a backup's file holds it. */
export type Silence = z.output<typeof silence>
/** What makes a silence; one with the id of another takes its place. */
export type SilenceWish = Pick<Silence, 'matchers' | 'startsAt' | 'endsAt' | 'createdBy' | 'comment'> & {
  readonly id?: string
}
/** An alert that it holds. */
export type HeldAlert = z.output<typeof alert>

/** What makes an alert; without an end it is over once nobody has sent it for the `resolve_timeout`. */
export type SentAlert = Pick<HeldAlert, 'labels' | 'annotations' | 'startsAt' | 'endsAt' | 'generatorURL'>

/** A list, and the time on the host that gave it, in milliseconds since the epoch. */
export interface Listed<T> {
  readonly items: readonly T[]
  readonly now: number
}

/** Its cluster as it sees it, its version, and its config as it was written. */
export const statusOf = (reach: Reach, alertmanager: Endpoint) =>
  askJson(reach, alertmanager, { path: STATUS_PATH, form: STATUS })

/** How long it has run, by its own host's clock, in milliseconds; within a second. */
export const runsForMs = async (reach: Reach, alertmanager: Endpoint): Promise<number> => {
  const answer = await ask(reach, alertmanager, STATUS_PATH)
  const { uptime } = read(answer, { endpoint: alertmanager, path: STATUS_PATH, form: STATUS })
  return nowOn(answer) - Date.parse(uptime)
}

/** The alerts that it holds: those that have not ended. */
export const alertsOf = async (reach: Reach, alertmanager: Endpoint): Promise<Listed<HeldAlert>> =>
  list(reach, alertmanager, { path: ALERTS_PATH, form: ALERTS })

/**
 * Sends alerts to one member, as a Prometheus would: it tells no other of them. Returns the time on its host afterwards, in milliseconds since the epoch.
 * Throws HostError where it refuses them.
 */
export const postAlerts = async (
  reach: Reach,
  alertmanager: Endpoint,
  alerts: readonly SentAlert[],
): Promise<number> => {
  let now = Date.now()
  for (let at = 0; at < alerts.length; at += SENT_AT_ONCE) {
    const body = JSON.stringify(alerts.slice(at, at + SENT_AT_ONCE))
    const answer = await send(reach, alertmanager, { path: ALERTS_PATH, method: 'POST', body })
    if (answer.status !== 200) throw refusedBy(alertmanager, 'alerts', answer, 'alerts')
    now = nowOn(answer)
  }
  return now
}

/** The names of its receivers. */
export const receiversOf = async (reach: Reach, alertmanager: Endpoint): Promise<readonly string[]> =>
  (await askJson(reach, alertmanager, { path: '/api/v2/receivers', form: RECEIVERS })).map(({ name }) => name)

/** Every silence that it knows, those that have ended too. */
export const silencesOf = async (reach: Reach, alertmanager: Endpoint): Promise<Listed<Silence>> =>
  list(reach, alertmanager, { path: SILENCES_PATH, form: silenceList })

/** The same as the text that it answers, for a file. */
export const silencesText = async (reach: Reach, alertmanager: Endpoint): Promise<string> => {
  const answer = await ask(reach, alertmanager, SILENCES_PATH)
  if (answer.status !== 200) throw refused(alertmanager, SILENCES_PATH, answer)
  return answer.body.trim()
}

/** The silences of a cluster: those of the first member that answers, as all members have the same. Throws HostError where none does. */
export const silencesOfCluster = (reach: Reach, members: readonly Endpoint[]): Promise<readonly Silence[]> =>
  firstOf(members, NONE, async (member) => (await silencesOf(reach, member)).items)

/** A silence by its id. */
export const silenceOf = (reach: Reach, alertmanager: Endpoint, id: string): Promise<Silence> =>
  askJson(reach, alertmanager, { path: pathOf(id), form: silence })

/** Whether a silence holds now, or will. */
export const isAlive = ({ status: { state } }: Pick<Silence, 'status'>): boolean => state !== 'expired'

/** Makes a silence on one of these members, the first that takes it; it says so to the others. Returns its id. Throws HostError where none takes it. */
export const makeSilence = (reach: Reach, members: readonly Endpoint[], wish: SilenceWish): Promise<string> =>
  firstOf(members, NONE, async (member) => {
    const answer = await send(reach, member, { path: SILENCES_PATH, method: 'POST', body: JSON.stringify(wish) })
    if (answer.status !== 200) throw refusedBy(member, `a silence of ${wish.createdBy}`, answer)
    return read(answer, { endpoint: member, path: SILENCES_PATH, form: POSTED }).silenceID
  })

/** Ends a silence. One that has ended already, or that nobody knows, is no error. */
export const endSilence = (reach: Reach, members: readonly Endpoint[], id: string): Promise<void> =>
  firstOf(members, NONE, async (member) => {
    const answer = await send(reach, member, { path: pathOf(id), method: 'DELETE' })
    if (answer.status !== 200 && answer.status !== 404 && !answer.body.includes('expired'))
      throw refusedBy(member, 'to end a silence', answer)
  })

const NONE = new HostError('fleet', 'there is no Alertmanager among these hosts')
const STATUS_PATH = '/api/v2/status'
const ALERTS_PATH = '/api/v2/alerts'
const SENT_AT_ONCE = 500
const SILENCES_PATH = '/api/v2/silences'
const pathOf = (id: string): string => `/api/v2/silence/${encodeURIComponent(id)}`

const list = async <T>(
  reach: Reach,
  endpoint: Endpoint,
  { path, form }: { readonly path: string; readonly form: z.ZodType<readonly T[]> },
): Promise<Listed<T>> => {
  const answer = await ask(reach, endpoint, path)
  return { items: read(answer, { endpoint, path, form }), now: nowOn(answer) }
}

const nowOn = ({ headers }: HttpAnswer): number => Date.parse(headers.date ?? '') || Date.now()

const refusedBy = ({ host }: Endpoint, what: string, { status, body }: HttpAnswer, task = 'silences'): HostError =>
  new HostError(host.name, `its Alertmanager refused ${what} (${status}): ${body.trim().slice(0, 200)}`, { task })

const silence = z.object({
  id: z.string(),
  status: z.object({ state: z.string() }),
  matchers: listOf(
    z.object({
      name: z.string(),
      value: z.string(),
      isRegex: z.boolean(),
      /** Left out by versions before 0.22. */
      isEqual: z.boolean().default(true),
    }),
  ),
  startsAt: instant,
  endsAt: instant,
  createdBy: z.string(),
  comment: z.string(),
})
/** Silences as the API lists them, and as a backup's file holds them. */
export const silenceList = listOf(silence)

const ids = listOf(z.string())
  .nullish()
  .transform((list) => list ?? [])
const alert = z.object({
  fingerprint: z.string(),
  startsAt: instant,
  endsAt: instant,
  updatedAt: instant,
  labels: texts,
  annotations: texts,
  /** Left out, or empty, where who sent it named none. */
  generatorURL: z.string().optional(),
  /** `active`, `suppressed`, or `unprocessed`; by the ids of which silences, and the fingerprints of which alerts. */
  status: z.object({ state: z.string(), silencedBy: ids, inhibitedBy: ids }).optional(),
})
const ALERTS = listOf(alert)
const RECEIVERS = listOf(z.object({ name: z.string() }))
const POSTED = z.object({ silenceID: z.string() })
const STATUS = z.object({
  cluster: z.object({
    name: z.string().optional(),
    status: z.string(),
    /** Left out where there is no cluster. */
    peers: listOf(z.object({ name: z.string(), address: z.string() }))
      .nullish()
      .transform((peers) => peers ?? []),
  }),
  versionInfo: z.object({ version: versionText }),
  /** When it started. */
  uptime: instant,
  config: z.object({ original: z.string() }),
})
