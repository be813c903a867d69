/** Runs inside the lab's network: asks until the fleet serves, then prints its EndState. `ask-fleet.ts [[prometheus], [alertmanager], [node_exporter]]` */
import { setTimeout as sleep } from 'node:timers/promises'
import type { EndState } from './end-state.ts'

const [prometheus, alertmanager, nodeExporter] = JSON.parse(process.argv[2] ?? '') as [string[], string[], string[]]

const get = async (url: string): Promise<string> => (await fetch(url, { signal: AbortSignal.timeout(5_000) })).text()
/** Debian's builds add `+ds1` to upstream's version. */
const plain = (version: string): string => version.replace(/\+.*/, '')

const askPrometheus = async (address: string): Promise<EndState['prometheus'][number]> => {
  const api = async (path: string) => JSON.parse(await get(`http://${address}:9090/api/v1/${path}`)).data
  const build: { version: string } = await api('status/buildinfo')
  const { activeTargets }: { activeTargets: { health: string }[] } = await api('targets?state=active')
  const { activeAlertmanagers }: { activeAlertmanagers: unknown[] } = await api('alertmanagers')
  const { groups }: { groups: { rules: { name: string }[] }[] } = await api('rules')
  return {
    version: plain(build.version),
    targetsUp: activeTargets.filter(({ health }) => health === 'up').length,
    alertmanagers: activeAlertmanagers.length,
    rules: groups.flatMap(({ rules }) => rules.map(({ name }) => name)).sort(),
  }
}

const askAlertmanager = async (address: string): Promise<EndState['alertmanager'][number]> => {
  const status = JSON.parse(await get(`http://${address}:9093/api/v2/status`))
  const receivers: { name: string }[] = JSON.parse(await get(`http://${address}:9093/api/v2/receivers`))
  return {
    version: plain(status.versionInfo.version),
    members: status.cluster.peers?.length ?? 0,
    receivers: receivers.map(({ name }) => name).sort(),
  }
}

const askNodeExporter = async (address: string): Promise<EndState['nodeExporter'][number]> => {
  const metrics = await get(`http://${address}:9100/metrics`)
  return { version: plain(/^node_exporter_build_info\{.*\bversion="([^"]*)"/m.exec(metrics)?.[1] ?? '') }
}

const ask = async (): Promise<EndState> => ({
  prometheus: await Promise.all(prometheus.map(askPrometheus)),
  alertmanager: await Promise.all(alertmanager.map(askAlertmanager)),
  nodeExporter: await Promise.all(nodeExporter.map(askNodeExporter)),
})

const targets = prometheus.length + alertmanager.length + nodeExporter.length
const missing = (state: EndState): string | undefined =>
  [
    ...state.prometheus.flatMap(({ targetsUp, alertmanagers }, i) => [
      targetsUp !== targets && `${prometheus[i]} has ${targetsUp} of ${targets} targets up`,
      alertmanagers !== alertmanager.length && `${prometheus[i]} sends to ${alertmanagers} Alertmanagers`,
    ]),
    ...state.alertmanager.map(
      ({ members }, i) => members !== alertmanager.length && `${alertmanager[i]} has ${members} members`,
    ),
  ].find((problem): problem is string => problem !== false)

const deadline = Date.now() + 120_000
for (;;) {
  let problem: string | undefined
  try {
    const state = await ask()
    problem = missing(state)
    if (!problem) {
      process.stdout.write(JSON.stringify(state))
      break
    }
  } catch (error) {
    problem = String(error instanceof Error ? (error.cause ?? error) : error)
  }
  if (Date.now() > deadline) throw new Error(problem)
  await sleep(100)
}
