import { createHash } from 'node:crypto'
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
/** By the name of a flag, without dashes, the values that mean the same as leaving it out. */
export type FlagDefaults = Readonly<Record<string, readonly string[]>>
/** What a service must be, as far as its state is read against it. */
export interface ServiceWish {
  readonly command: readonly string[]
  readonly executable?: string
  /** Values that flags have where they are not given. */
  readonly defaults?: FlagDefaults
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
  const adopted = isAdopted(answer, wish)
  return {
    ...state,
    ...(since > 0 && { since }),
    executable: adopted
      ? (wish.executable ?? answer.executable)
      : `${answer.executable}${answer.genuine || answer.executable !== wish.executable ? '' : ' (not as released)'}`,
    command: adopted || isSame(answer.command, wish.command) ? 'same' : startedOtherwise(answer, wish),
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

/** What a process that others have started was taken over for. */
export const commandDigest = (command: readonly string[]): string =>
  createHash('sha256').update(command.join('\0')).digest('hex')

/** It is still the process that was taken over, for this very command; and its file is the release's by its checksum. */
const isAdopted = (
  { adopted: [invocation, digest], properties, genuine }: ServiceAnswer,
  { command }: ServiceWish,
): boolean =>
  invocation !== undefined && invocation === properties.InvocationID && digest === commandDigest(command) && genuine

/** Said of a process that has the same flags in another form: others have started it. */
export const SAME_FLAGS = 'differs: the same flags, in another form'

/** A drop-in is an operator's own and stays; where it changes the arguments no restart helps, so it is named. */
const startedOtherwise = ({ command, properties: { DropInPaths = '' } }: ServiceAnswer, wish: ServiceWish): string => {
  if (wish.defaults && isSame(flagsIn(command, wish.defaults), flagsIn(wish.command, wish.defaults))) return SAME_FLAGS
  return DropInPaths === '' ? 'differs' : `differs: its unit is changed by ${DropInPaths.split(' ').join(', ')}`
}

/** Flags in one form and order, without those that say what goes without saying. A word behind a flag that doesn't look like one is its value. */
const flagsIn = ([, ...words]: readonly string[], defaults: FlagDefaults): readonly string[] => {
  const flags: string[] = []
  for (const word of words) {
    const flag = /^--?(?=[A-Za-z])/.test(word) ? word.replace(/^--?/, '--') : undefined
    const before = flags.at(-1)
    if (flag !== undefined) flags.push(flag)
    else if (before?.startsWith('--') && !before.includes('=')) flags[flags.length - 1] = `${before}=${word}`
    else flags.push(word)
  }
  const usual = new Set(
    Object.entries(defaults).flatMap(([name, values]) => values.map((value) => `--${name}=${value}`)),
  )
  return flags.filter((flag) => !usual.has(flag)).sort()
}

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
