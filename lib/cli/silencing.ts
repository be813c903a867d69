import { alertmanager } from '../../roles/alertmanager/role.ts'
import { endpointOf } from '../../roles/web.ts'
import { HostError } from '../errors.ts'
import { askJson, send } from '../gates/endpoint.ts'
import type { Host, HttpAnswer, Reach } from '../model.ts'
import { type HeldSilence, heldSilences, postable, type Silence } from '../routing/silence.ts'

/** The silences of a cluster: those of the first member that answers, as all members have the same. Throws HostError where none does. */
export const silencesOf = (reach: Reach, members: readonly Host[]): Promise<readonly HeldSilence[]> =>
  firstOf(members, (host) =>
    askJson(reach, endpointOf(host, alertmanager.varsOf(host)), { path: '/api/v2/silences', form: heldSilences }),
  )

/** Creates a silence on one member, which tells the others; returns its id. Throws HostError where none takes it. */
export const createSilence = (reach: Reach, members: readonly Host[], silence: Silence): Promise<string> =>
  firstOf(members, async (host) => {
    const answer = await send(reach, endpointOf(host, alertmanager.varsOf(host)), {
      path: '/api/v2/silences',
      method: 'POST',
      body: postable(silence, new Date()),
    })
    if (answer.status !== 200) throw refusedBy(host, answer)
    return (JSON.parse(answer.body) as { silenceID: string }).silenceID
  })

/** Ends a silence. One that has ended already is no error. */
export const endSilence = (reach: Reach, members: readonly Host[], id: string): Promise<void> =>
  firstOf(members, async (host) => {
    const path = `/api/v2/silence/${encodeURIComponent(id)}`
    const answer = await send(reach, endpointOf(host, alertmanager.varsOf(host)), { path, method: 'DELETE' })
    if (answer.status !== 200 && answer.status !== 404 && !answer.body.includes('expired'))
      throw refusedBy(host, answer)
  })

const refusedBy = (host: Host, { status, body }: HttpAnswer): HostError =>
  new HostError(host.name, `Alertmanager answered ${status}: ${body.trim().slice(0, 200)}`)

const firstOf = async <T>(members: readonly Host[], work: (host: Host) => Promise<T>): Promise<T> => {
  let last: unknown = new HostError('fleet', 'there is no Alertmanager among these hosts')
  for (const host of members) {
    try {
      return await work(host)
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      last = error
    }
  }
  throw last
}
