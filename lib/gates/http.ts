import { ask, type Endpoint, refused } from '../api/endpoint.ts'
import type { Duration, Gate, HttpAnswer } from '../model.ts'

export interface HttpQuestion {
  readonly path: string
  /** What the answer must be; default: status 200. Returns why it isn't, or null. */
  readonly expect?: (answer: HttpAnswer) => string | null
  readonly within?: Duration
}

/** A gate over one HTTP answer of a host's own web server. */
export const httpGate = (name: string, endpoint: Endpoint, { path, expect, within = '30s' }: HttpQuestion): Gate => ({
  name,
  host: endpoint.host.name,
  within,
  async ask(reach) {
    const answer = await ask(reach, endpoint, path)
    if (!expect && answer.status !== 200) throw refused(endpoint, path, answer)
    const why = expect?.(answer) ?? null
    return why === null ? { pass: true } : { pass: false, why }
  },
})
