/** How much a member hands another as its whole state, and how much of that some versions take. */
import { ask, type Endpoint, refused } from '../../lib/api/endpoint.ts'
import { seriesOf } from '../../lib/gates/series.ts'
import { inRange } from '../../lib/program/known-issue.ts'

/** What memberlist 0.6.0 takes of a peer's state at most (alertmanager#5640). */
const MOST_STATE_BYTES = 20 * 1024 * 1024
/** A quarter of it: silences and notifications of a bad night come on top. */
export const MUCH_STATE_BYTES = MOST_STATE_BYTES / 4

/** Whether members of this version refuse a larger state: those with memberlist 0.6.0. */
export const refusesLargeStates = (version: string): boolean => inRange('0.34.0', '0.35.0')(version)

/** `7.5 MiB of 20`: how large a state is, and how large it may be. */
export const stateText = (bytes: number): string =>
  `${(bytes / 1024 / 1024).toFixed(1)} MiB of ${MOST_STATE_BYTES / 1024 / 1024}`

/**
 * How large its silences and its notification log were when it last wrote them to disk, which it does every quarter of an hour: about what it hands a peer as its
 * whole state. Bytes; 0 before the first time. Throws HostError where it doesn't answer.
 */
export const stateBytesOf = async (reach: Parameters<typeof ask>[0], alertmanager: Endpoint): Promise<number> => {
  const answer = await ask(reach, alertmanager, '/metrics')
  if (answer.status !== 200) throw refused(alertmanager, '/metrics', answer)
  return ['silences', 'nflog']
    .flatMap((name) => seriesOf(answer.body, `alertmanager_${name}_snapshot_size_bytes`))
    .reduce((sum, value) => sum + value, 0)
}
