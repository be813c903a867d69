/** What a Thanos Query says of those that it asks, and its answers; all of it is input from a stranger. */
import { z } from 'zod'
import { ask, askJson, type Endpoint, refused } from '../../lib/api/endpoint.ts'
import { listOf } from '../../lib/api/forms.ts'
import type { Gate, Reach } from '../../lib/model.ts'
import { counted, listed } from '../../lib/wording.ts'

/** An endpoint as a Query sees it. */
export interface StoreSeen {
  /** As it was told. */
  readonly name: string
  readonly lastError: string | null
}

/** Those that a Query asks, whatever they are. Throws HostError where it does not answer so. */
export const storesSeenBy = async (reach: Reach, query: Endpoint): Promise<readonly StoreSeen[]> =>
  Object.values((await askJson(reach, query, { path: '/api/v1/stores', form: STORES })).data).flat()

/** It answers, and its web server has what it needs to. */
export const thanosReady = (name: string, endpoint: Endpoint): Gate => ({
  name,
  host: endpoint.host.name,
  within: '60s',
  async ask(reach) {
    const answer = await ask(reach, endpoint, '/-/ready')
    if (answer.status === 200) return { pass: true }
    if (answer.status !== 503) throw refused(endpoint, '/-/ready', answer)
    return { pass: false, why: 'it is starting' }
  },
})

/** One that a Query is to see. */
export interface StoreWanted {
  /** What the Query calls it. */
  readonly name: string
  /** Where it is, as `address:port`. */
  readonly address: string
}

/** It sees each of these, and none of them is in error. */
export const everyStoreSeen = (query: Endpoint, expected: readonly StoreWanted[]): Gate => ({
  name: 'Query sees every endpoint of the inventory',
  host: query.host.name,
  within: '60s',
  async ask(reach) {
    const seen = await storesSeenBy(reach, query)
    const { missing, failing } = storeProblems(seen, expected)
    const lacks = [...missing, ...failing].map(({ address }) => address)
    if (lacks.length === 0) return { pass: true, detail: counted(expected.length, 'endpoint') }
    const why = [
      ...(missing.length > 0 ? [`does not see ${listed(missing.map(({ address }) => address))}`] : []),
      ...failing.map(({ address, why }) => `${address}: ${why.slice(0, 200)}`),
    ]
    return { pass: false, why: listed(why), lacks, progress: `${expected.length - lacks.length} of ${expected.length}` }
  },
})

/** What is wrong between those that a Query sees and those that it is to see. Pure. */
export const storeProblems = (seen: readonly StoreSeen[], expected: readonly StoreWanted[]) => {
  const known = new Map(seen.map((one) => [one.name, one]))
  return {
    missing: expected.filter(({ name }) => !known.has(name)),
    failing: expected.flatMap(({ name, address }) => {
      const why = known.get(name)?.lastError ?? null
      return why === null ? [] : [{ address, why }]
    }),
  }
}

/** It answers a real question from the data of those that it asks. */
export const queryAnswers = (query: Endpoint): Gate => ({
  name: 'Query answers from the data of the fleet',
  host: query.host.name,
  within: '60s',
  async ask(reach) {
    const { data, warnings } = await askJson(reach, query, { path: COUNT_UP, form: ANSWER })
    const [first] = data.result
    if (first === undefined)
      return { pass: false, why: 'count(up) has no answer: nothing is scraped, or nothing is seen' }
    const said = warnings?.[0]
    return said === undefined
      ? { pass: true, detail: `${first.value[1]} targets` }
      : { pass: false, why: `its answer is partial: ${said.slice(0, 200)}` }
  },
})

const COUNT_UP = `/api/v1/query?query=${encodeURIComponent('count(up)')}`

/** `lastError` is null, or the text of an error (thanos `pkg/query/endpointset.go`, stringError). */
const STORES = z.object({
  data: z.record(
    z.string(),
    listOf(
      z.object({
        name: z.string(),
        lastError: z
          .string()
          .nullish()
          .transform((text) => text ?? null),
      }),
    ),
  ),
})
const ANSWER = z.object({
  data: z.object({ result: listOf(z.object({ value: z.tuple([z.number(), z.string()]) })) }),
  warnings: listOf(z.string()).nullish(),
})
