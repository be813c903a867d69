import { z } from 'zod'
import { HostError } from '../errors.ts'
import type { HttpAnswer, Reach } from '../model.ts'
import { type HeldSilence, heldSilences, postable, type Silence } from '../routing/silence.ts'
import { askJson, type Endpoint, read, send } from './endpoint.ts'
import { firstOf } from './first-of.ts'

/** The silences of a cluster: those of the first member that answers, as all members have the same. Throws HostError where none does. */
export const silencesOf = (reach: Reach, members: readonly Endpoint[]): Promise<readonly HeldSilence[]> =>
  firstOf(members, NONE, (member) => askJson(reach, member, { path: '/api/v2/silences', form: heldSilences }))

/** Creates a silence on one member, which tells the others; returns its id. Throws HostError where none takes it. */
export const createSilence = (reach: Reach, members: readonly Endpoint[], silence: Silence): Promise<string> =>
  firstOf(members, NONE, async (member) => {
    const answer = await send(reach, member, {
      path: '/api/v2/silences',
      method: 'POST',
      body: postable(silence, new Date()),
    })
    if (answer.status !== 200) throw refusedBy(member, answer)
    return read(answer, { endpoint: member, path: '/api/v2/silences', form: POSTED }).silenceID
  })

/** Ends a silence. One that has ended already is no error. */
export const endSilence = (reach: Reach, members: readonly Endpoint[], id: string): Promise<void> =>
  firstOf(members, NONE, async (member) => {
    const path = `/api/v2/silence/${encodeURIComponent(id)}`
    const answer = await send(reach, member, { path, method: 'DELETE' })
    if (answer.status !== 200 && answer.status !== 404 && !answer.body.includes('expired'))
      throw refusedBy(member, answer)
  })

const NONE = new HostError('fleet', 'there is no Alertmanager among these hosts')
const POSTED = z.object({ silenceID: z.string() })

const refusedBy = ({ host }: Endpoint, { status, body }: HttpAnswer): HostError =>
  new HostError(host.name, `Alertmanager answered ${status}: ${body.trim().slice(0, 200)}`)
