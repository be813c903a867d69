/** A VictoriaMetrics that keeps one of equal samples, and what it keeps. */
import { onHost } from '../vestal.ts'
import { HOSTS, packagesFrom } from './site.ts'

export const INTERVAL_MS = 2_000
/** Where it listens. */
export const STORE = `${HOSTS.hardware}:8428`

export interface Series {
  readonly metric: Readonly<Record<string, string>>
  /** In ms. */
  readonly timestamps: readonly number[]
}

export const storeStands = async (): Promise<void> => {
  await packagesFrom(HOSTS.hardware, ['victoria-metrics'])
  const flags = `-storageDataPath=/var/lib/victoria-metrics -dedup.minScrapeInterval=${INTERVAL_MS}ms -search.latencyOffset=1s`
  await onHost(
    HOSTS.hardware,
    `printf 'ARGS="${flags}"\\n' >/etc/default/victoria-metrics && systemctl restart victoria-metrics`,
  )
}

/** What it keeps of `up` from a time on (in ms), as it is stored: one object a line. */
export const stored = async (since: number): Promise<readonly Series[]> => {
  const words = new URLSearchParams({ 'match[]': 'up', start: String(since / 1000), reduce_mem_usage: '0' })
  const answer = await fetch(`http://${STORE}/api/v1/export?${words}`, { signal: AbortSignal.timeout(10_000) })
  const lines = (await answer.text()).split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as Series)
}

export const nameOf = ({ metric }: Series): string => `${metric.job} ${metric.instance}`

/** The times between one sample and the next, in ms. */
export const gapsOf = ({ timestamps }: Series): readonly number[] =>
  timestamps.slice(1).map((at, index) => at - (timestamps[index] ?? at))
