import pLimit from 'p-limit'
import major from 'semver/functions/major.js'
import { answered } from '../../lib/answered.ts'
import { targetsOf } from '../../lib/api/prometheus.ts'
import type { Connection, Reach, Scope } from '../../lib/model.ts'
import { endpointOf } from '../../lib/program/web.ts'
import { urlOf } from '../../lib/url.ts'
import type { PrometheusVars } from './vars.ts'

/** A target whose answer named no content type that Prometheus 3 takes. */
export interface UntypedTarget {
  readonly job: string
  readonly url: string
  readonly contentType: string
}

/**
 * The targets of a Prometheus 2 that Prometheus 3 would fail to scrape, where that is where it goes. Each is asked once, from the host, as
 * Prometheus would. Those that need a login, TLS or don't answer are passed over: nothing is learnt of them.
 */
export const untypedTargets = async (
  { host, vars }: Scope<PrometheusVars>,
  { reach, from, to }: { readonly reach: Reach; readonly from: string; readonly to: string },
): Promise<{ readonly untyped: readonly UntypedTarget[] }> => {
  if (major(to) < 3 || major(from) >= 3) return { untyped: [] }
  const connection = await reach(host)
  const targets = (await answered(() => targetsOf(reach, endpointOf(host, vars)))) ?? []
  const limit = pLimit(8)
  const found = await Promise.all(
    targets
      .filter(({ scrapeUrl }) => scrapeUrl.startsWith('http://'))
      .slice(0, MOST)
      .map(({ scrapePool, scrapeUrl }) => limit(() => typeOf(connection, scrapePool, scrapeUrl))),
  )
  return { untyped: found.flatMap((one) => (one && !isKnown(one.contentType) ? [one] : [])) }
}

/** More targets than these are of the same jobs. */
const MOST = 200

const typeOf = async (connection: Connection, job: string, url: string): Promise<UntypedTarget | null> => {
  const target = urlOf(url)
  if (!target) return null
  const { hostname, port, pathname, search } = target
  const answer = await answered(() =>
    connection.request({
      address: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: Number(port || 80),
      path: pathname + search,
      headers: { accept: ACCEPT },
      timeout: '5s',
    }),
  )
  return answer?.status === 200 ? { job, url, contentType: answer.headers['content-type'] ?? '' } : null
}

/** What Prometheus 3 reads, by media type (prometheus `model/textparse/interface.go`). */
const isKnown = (contentType: string): boolean =>
  ['text/plain', 'application/openmetrics-text', 'application/vnd.google.protobuf'].includes(
    contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '',
  )

const ACCEPT = 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1'
