/** What a fault must have done while it lasts: gates that pass where something is wrong, as it was meant to be. */
import { statusOf } from '../api/alertmanager.ts'
import { ask, type Endpoint } from '../api/endpoint.ts'
import { replayOf } from '../api/prometheus.ts'
import type { Gate } from '../model.ts'
import { counted } from '../wording.ts'
import { seriesOf } from './series.ts'

/** It sees so many members, itself included. */
export const seesMembers = (alertmanager: Endpoint, count: number): Gate => ({
  name: `Alertmanager sees ${counted(count, 'member')}`,
  host: alertmanager.host.name,
  within: '30s',
  async ask(reach) {
    const { peers } = (await statusOf(reach, alertmanager)).cluster
    return peers.length === count ? { pass: true } : { pass: false, why: `it sees ${peers.length}` }
  },
})

/** It refused what it was told to read at the last reload. */
export const refusedItsConfig = (alertmanager: Endpoint): Gate => ({
  name: 'Alertmanager says that it refused its configuration',
  host: alertmanager.host.name,
  within: '30s',
  async ask(reach) {
    const { body } = await ask(reach, alertmanager, '/metrics')
    return seriesOf(body, 'alertmanager_config_last_reload_successful')[0] === 0
      ? { pass: true }
      : { pass: false, why: 'it says that its last reload went well' }
  },
})

/** It fails to write samples: more often than when it was first asked. One gate, for one drill. */
export const failsToStore = (prometheus: Endpoint): Gate => {
  let first: number | undefined
  return {
    name: 'Prometheus says that it fails to store samples',
    host: prometheus.host.name,
    within: '30s',
    async ask(reach) {
      const { body } = await ask(reach, prometheus, '/metrics')
      const failed = seriesOf(body, 'prometheus_tsdb_wal_writes_failed_total')[0] ?? 0
      first ??= failed
      return failed > first ? { pass: true } : { pass: false, why: 'it says that each write to its WAL goes well' }
    },
  }
}

/** It starts, and reads what it had written before it serves: it is not ready, and says how far it has come. */
export const replays = (prometheus: Endpoint): Gate => ({
  name: 'Prometheus is not ready, and says how far the replay of its WAL is',
  host: prometheus.host.name,
  within: '30s',
  async ask(reach) {
    const { status } = await ask(reach, prometheus, '/-/ready')
    if (status !== 503) return { pass: false, why: `/-/ready answers ${status}` }
    const { current, max } = await replayOf(reach, prometheus)
    return { pass: true, detail: `${current} of ${max}` }
  },
})
