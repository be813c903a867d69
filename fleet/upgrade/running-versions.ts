import pLimit from 'p-limit'
import major from 'semver/functions/major.js'
import { z } from 'zod'
import { askJson } from '../../lib/api/endpoint.ts'
import { HostError } from '../../lib/errors.ts'
import type { Connection, Host, Reach } from '../../lib/model.ts'
import type { Subject } from '../../lib/program/known-issue.ts'
import { endpointOf } from '../../lib/program/web.ts'
import { words } from '../../lib/shell.ts'
import { prometheus } from '../../roles/prometheus/role.ts'
import { PROGRAMS, type Versions } from './settings.ts'

/** What a host runs now, as far as advice needs it. */
export interface Running {
  /** The versions that are switched to. */
  readonly versions: Versions
  /** The gossip label that Alertmanager's process was given; '' for none, undefined where none runs. */
  readonly label?: string
  /** Targets whose content type Prometheus 3 would not take. */
  readonly untyped: Subject['untyped']
}

/** Reads what a host runs; changes nothing. Content types are only asked for when `probeTargets`. */
export const readRunning = async (reach: Reach, host: Host, probeTargets: boolean): Promise<Running> => {
  const connection = await reach(host)
  const { stdout } = await connection.exec(LOOK)
  const said = new Map(
    stdout
      .toString()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
  const versions: Versions = Object.fromEntries(
    PROGRAMS.flatMap((name) => (said.get(name) ? [[name, said.get(name)]] : [])),
  )
  const older = versions.prometheus !== undefined && major(versions.prometheus) < 3
  return {
    versions,
    label: said.get('label'),
    untyped: probeTargets && older ? await untypedTargets(reach, connection) : [],
  }
}

const LOOK = `for name in ${words([...PROGRAMS])}; do
  if [ -L "/opt/vestal/$name/current" ]; then printf '%s=%s\\n' "$name" "$(basename "$(readlink "/opt/vestal/$name/current")")"; fi
done
pid=$(systemctl show -P MainPID alertmanager 2>/dev/null)
if [ "\${pid:-0}" != 0 ]; then printf 'label=%s\\n' "$(tr '\\0' '\\n' <"/proc/$pid/cmdline" | sed -n 's/^--cluster\\.label=//p')"; fi
exit 0`

/** Each target is asked once, from the host, as Prometheus would. Those that need a login, TLS or don't answer are passed over: nothing is learnt of them. */
const untypedTargets = async (reach: Reach, connection: Connection): Promise<Subject['untyped']> => {
  const { host } = connection
  const { data } = await askJson(reach, endpointOf(host, prometheus.varsOf(host)), {
    path: '/api/v1/targets?state=active',
    form: TARGETS,
  }).catch((error: unknown) => {
    if (error instanceof HostError) return { data: { activeTargets: [] } }
    throw error
  })
  const limit = pLimit(8)
  const found = await Promise.all(
    data.activeTargets
      .filter(({ scrapeUrl }) => scrapeUrl.startsWith('http://'))
      .slice(0, MOST)
      .map(({ scrapePool, scrapeUrl }) => limit(() => typeOf(connection, scrapePool, scrapeUrl))),
  )
  return found.flatMap((one) => (one && !isKnown(one.contentType) ? [one] : []))
}

/** More targets than these are of the same jobs. */
const MOST = 200

const typeOf = async (connection: Connection, job: string, url: string): Promise<Subject['untyped'][number] | null> => {
  const { hostname, port, pathname, search } = new URL(url)
  try {
    const { status, headers } = await connection.request({
      address: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: Number(port || 80),
      path: pathname + search,
      headers: { accept: ACCEPT },
      timeout: '5s',
    })
    return status === 200 ? { job, url, contentType: headers['content-type'] ?? '' } : null
  } catch (error) {
    if (error instanceof HostError) return null
    throw error
  }
}

/** What Prometheus 3 reads, by media type (prometheus `model/textparse/interface.go`). */
const isKnown = (contentType: string): boolean =>
  ['text/plain', 'application/openmetrics-text', 'application/vnd.google.protobuf'].includes(
    contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '',
  )

const ACCEPT = 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1'

const TARGETS = z.object({
  data: z.object({ activeTargets: z.array(z.object({ scrapePool: z.string(), scrapeUrl: z.string() })) }),
})
