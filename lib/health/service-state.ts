/** What the states behind an instance's tasks mean to a person. */
import { posix } from 'node:path'
import type { Reading } from '../engine/probe.ts'
import type { Instance } from '../model.ts'

export interface ServiceLook {
  readonly active: string
  readonly executable: string
  readonly loaded: string
  /** Milliseconds since the epoch. */
  readonly since?: number
}

/** The state of the instance's service; `missing` where systemd knows no such unit. */
export const serviceOf = ({ states }: Reading, { service }: Instance): ServiceLook => {
  const state = states.get(service)
  const text = (field: string): string => String(state?.[field] ?? '')
  const since = typeof state?.since === 'number' ? { since: state.since } : {}
  return { active: text('active') || 'missing', executable: text('executable'), loaded: text('loaded'), ...since }
}

/** The version that runs and the one the link chooses. Each has a folder of its name beside the link. */
export const versionOf = (
  reading: Reading,
  instance: Instance,
): { readonly running?: string; readonly disk?: string } => {
  if (instance.current === undefined) return {}
  const { executable } = serviceOf(reading, instance)
  const target = reading.states.get(instance.current)?.target
  const versions = posix.dirname(instance.current.slice(instance.current.indexOf(' ') + 1))
  return {
    ...(executable && { running: within(executable, versions) }),
    ...(typeof target === 'string' && target !== '' && { disk: within(target, versions) }),
  }
}

/** Whether it has loaded what is to be on disk; undefined where nothing runs. */
export const configOf = (service?: ServiceLook): { readonly inForce: boolean; readonly why?: string } | undefined => {
  if (!service || service.loaded === '' || service.loaded === 'none') return undefined
  return service.loaded === 'same' ? { inForce: true } : { inForce: false, why: service.loaded }
}

/** When the certificate that these tasks keep ends; undefined where there is none. */
export const certificateOf = (
  { states }: Reading,
  tasks: readonly string[],
): { readonly until: string } | undefined => {
  const ends = tasks
    .filter((id) => id.startsWith('certificate '))
    .map((id) => states.get(id)?.until)
    .filter((until): until is string => typeof until === 'string' && until !== '')
  return ends.length === 0 ? undefined : { until: ends.toSorted()[0] as string }
}

const within = (path: string, folder: string): string =>
  path.startsWith(`${folder}/`) ? (path.slice(folder.length + 1).split(/[/ ]/, 1)[0] ?? path) : path
