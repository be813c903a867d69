import type { Duration, Gate } from '../model.ts'
import { prefixOf } from './schedule.ts'
import type { Tally } from './tally.ts'

/** What gates and failures of the ledger are about, where others have a host's name. */
export const CANARIES = 'canaries'

type Count = () => Tally

/** So many must have come back: restarts should find some that fire. They are sent together, so that this takes no longer than for one. */
export const FIRST = 3

/** The whole way works, through each shard: canaries have been notified. `shards` has one null where there are none. */
export const firstArrives = (count: Count, withinMs: number, shards: readonly (string | null)[]): Gate =>
  gate('Canary alerts arrive before anything is changed', withinMs, () => {
    const { report, notified, leastDelivered } = count()
    const silent = shards.filter((shard) => !notified.some((name) => name.startsWith(prefixOf(shard))))
    if (leastDelivered >= FIRST && silent.length === 0) return null
    const where = silent.some((shard) => shard !== null) ? `, none through shard ${silent.join(', ')}` : ''
    return `${report.sent} sent, ${report.delivered} notified${where}`
  })

/** None of those that still fire waits to be notified. */
export const allDelivered = (count: Count, withinMs: number): Gate =>
  gate('Every canary alert is delivered', withinMs, () => {
    const { undelivered } = count()
    return undelivered === 0 ? null : `${undelivered} still to be notified`
  })

/** Nothing is waited for any more: what ended was resolved, long enough ago that no stale notification can follow. */
export const allOver = (count: Count, withinMs: number): Gate =>
  gate('Every canary alert is over, and nothing came after it', withinMs, () => {
    const { open, report } = count()
    return open === 0 ? null : `${open} of ${report.sent + report.silenced.sent} not over yet`
  })

const gate = (name: string, withinMs: number, question: () => string | null): Gate => ({
  name,
  host: CANARIES,
  within: `${withinMs}ms` as Duration,
  async ask() {
    const why = question()
    return why === null ? { pass: true } : { pass: false, why }
  },
})
