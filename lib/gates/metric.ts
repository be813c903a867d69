import { ask, type Endpoint, refused } from '../api/endpoint.ts'
import type { Gate } from '../model.ts'
import { seriesOf } from './series.ts'

interface MetricQuestion {
  /** Of the page of metrics; series of that name are added up. */
  readonly metric: string
  /** What it counts, in words. */
  readonly of: string
  readonly within?: Gate['within']
}

/** A gate over a number on a program's own page of metrics: it is zero. A metric that isn't there counts as zero. */
export const metricIsZero = (
  name: string,
  endpoint: Endpoint,
  { metric, of, within = '60s' }: MetricQuestion,
): Gate => ({
  name,
  host: endpoint.host.name,
  within,
  async ask(reach) {
    const answer = await ask(reach, endpoint, '/metrics')
    if (answer.status !== 200) throw refused(endpoint, '/metrics', answer)
    const sum = seriesOf(answer.body, metric).reduce((total, value) => total + value, 0)
    return sum === 0 ? { pass: true } : { pass: false, why: `${sum} ${of}`, progress: `${sum} ${of}` }
  },
})
