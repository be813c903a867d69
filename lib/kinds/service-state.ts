import { parseSha256 } from './paths.ts'
import type { OnDisk, ServiceAnswer } from './service-probe.ts'
import type { Watched } from './service-watch.ts'

/**
 * `active` is `running`, `stopped`, `failed`, `starting`, `crash-looping` or another of systemd's words. `command` and `started`
 * (its unit and what is read at start only) and `loaded` (what is read at start and on reload) are `same`, or `differs` and what does.
 * `since` is when its main process was started, in milliseconds since the epoch; nothing is wanted of it.
 */
export type ServiceState = Readonly<{
  enabled: boolean
  masked: boolean
  active: string
  executable: string
  command: string
  started: string
  loaded: string
  since?: number
}>
/** What a service must be, as far as its state is read against it. */
export interface ServiceWish {
  readonly command: readonly string[]
  readonly executable?: string
  readonly starts: readonly Watched[]
  readonly loads: readonly Watched[]
}

/** A service's state; null where systemd knows no such unit. A process whose unit file was removed is still there. */
export const serviceState = (
  answer: ServiceAnswer,
  wish: ServiceWish,
  disk: ReadonlyMap<string, OnDisk>,
): ServiceState | null => {
  const { LoadState, UnitFileState, MainPID = '0' } = answer.properties
  if (LoadState === undefined || (LoadState === 'not-found' && MainPID === '0')) return null
  const state = { enabled: UnitFileState === 'enabled', masked: LoadState === 'masked', active: active(answer) }
  if (MainPID === '0') return { ...state, executable: '', command: 'none', started: 'none', loaded: 'none' }
  const since = Number(systemdTime(answer.properties.ExecMainStartTimestamp ?? '') / 1_000_000n)
  return {
    ...state,
    ...(since > 0 && { since }),
    executable: `${answer.executable}${answer.genuine || answer.executable !== wish.executable ? '' : ' (not as released)'}`,
    command: isSame(answer.command, wish.command) ? 'same' : startedOtherwise(answer),
    started: said(startedWithOther(answer, wish.starts, disk)),
    loaded: said(loadedOther(answer, wish.loads, disk)),
  }
}

/**
 * Nanoseconds since the epoch in `Sat 2025-11-22 16:21:03.123456 UTC`, the last of that microsecond; 0 for none. Throws an Error for a
 * day or an hour that there is not.
 */
export const systemdTime = (text: string): bigint => {
  const [, day, time, micros = ''] = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))? UTC/.exec(text) ?? []
  if (!day) return 0n
  const ms = Date.parse(`${day}T${time}Z`)
  if (Number.isNaN(ms)) throw new Error(`a time is ${day} ${time}`)
  return BigInt(ms) * 1_000_000n + BigInt(micros.padEnd(6, '0')) * 1_000n + 999n
}

const active = ({ properties: { ActiveState, SubState = '' } }: ServiceAnswer): string => {
  if (ActiveState === 'inactive') return 'stopped'
  if (SubState.startsWith('auto-restart')) return 'crash-looping'
  if (ActiveState === 'activating') return 'starting'
  return ActiveState === 'reloading' ? 'running' : ActiveState === 'active' ? SubState : (ActiveState ?? '')
}

/** A drop-in is an operator's own and stays; where it changes the arguments no restart helps, so it is named. */
const startedOtherwise = ({ properties: { DropInPaths = '' } }: ServiceAnswer): string =>
  DropInPaths === '' ? 'differs' : `differs: its unit is changed by ${DropInPaths.split(' ').join(', ')}`

/** The stamp is the truth for the start that it was made at; otherwise a file counts that hasn't changed since the start. */
const startedWithOther = (answer: ServiceAnswer, starts: readonly Watched[], disk: ReadonlyMap<string, OnDisk>) => {
  if (answer.pending === 'restart') return starts
  const [invocation, ...sums] = answer.stamp
  const stamped = invocation === answer.properties.InvocationID ? parseSha256(sums) : new Map<string, string>()
  const since = systemdTime(answer.properties.ExecMainStartTimestamp ?? '')
  return starts.filter((one) =>
    stamped.has(one.path) ? stamped.get(one.path) !== one.sha256 : !isAsRead(one, disk.get(one.path), since),
  )
}

/**
 * systemd notes when a unit's state last changed, which a reload does too. When that was somebody else's doing, a file counts as
 * read only if nothing at all has changed about it since, or has yet to: one put back with its old time was not there at the reload.
 */
const loadedOther = (answer: ServiceAnswer, loads: readonly Watched[], disk: ReadonlyMap<string, OnDisk>) => {
  if (answer.pending !== '') return loads
  const at = answer.properties.StateChangeTimestamp ?? ''
  const [stampedAt, ...sums] = answer.loadStamp
  const stamped = stampedAt === at ? parseSha256(sums) : null
  return loads.filter((one) => {
    const found = disk.get(one.path)
    if (!isAsRead(one, found, systemdTime(at))) return true
    const then = stamped?.get(one.path)
    if (then !== undefined) return then !== one.sha256
    return (
      stamped === null && one.sha256 !== undefined && found !== undefined && wasTouched(one, found, systemdTime(at))
    )
  })
}

const wasTouched = (wanted: Watched, found: OnDisk, since: bigint): boolean =>
  found.touched > since || (found.access !== undefined && found.access !== wanted.access)

const isAsRead = (wanted: Watched, found: OnDisk | undefined, since: bigint): boolean => {
  if (wanted.sha256 === null) return found === undefined
  if (!found || found.changed > since) return false
  if (wanted.sha256 !== undefined) return found.sha256 === wanted.sha256
  return wanted.names === undefined || found.names.every((name) => wanted.names?.includes(name))
}

const said = (differing: readonly Watched[]): string => {
  if (differing.length === 0) return 'same'
  const more = differing.length > 3 ? ` and ${differing.length - 3} more` : ''
  const shown = differing.slice(0, 3).map(({ path }) => path)
  return `differs: ${shown.join(', ')}${more}`
}

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((text, index) => text === other[index])
