import { idOf } from '../health/causes.ts'
import { isBroken } from '../health/paths.ts'
import type { FleetStatus, InstanceStatus } from '../health/types.ts'
import { counted, listed } from '../wording.ts'
import { type Cell, columns } from './columns.ts'
import { paint } from './paint.ts'
import { pathsText } from './paths.ts'
import { setIn, shown } from './print.ts'

const BEFORE = ['instance', 'role', 'part', 'version', 'state', 'members', 'config', 'targets', 'alerts', 'wal']
const AFTER = ['certificate', 'uptime', 'drift']

/** A fleet's status for people: a row an instance, then why those that are unhealthy are, then what the whole fleet shows. */
export const statusText = (look: FleetStatus): string => {
  const { instances, notes, healthy, paths = [] } = shown(look)
  const why = instances.flatMap((one) => {
    const missed = instances.filter(({ because }) => because?.includes(idOf(one))).map(({ instance }) => instance)
    const too = missed.length > 0 ? `; ${listed(missed)} ${missed.length === 1 ? 'misses' : 'miss'} it` : ''
    return one.failing.map((text) => `${paint('red', 'unhealthy')} ${idOf(one)}: ${setIn(text)}${too}`)
  })
  const own = [...new Set(instances.flatMap(({ shows = {} }) => Object.keys(shows)))]
  const bad = instances.filter((one) => !one.healthy).length
  const all = instances.length
  const sum = healthy
    ? paint('green', all === 1 ? 'The instance is healthy.' : `All ${all} instances are healthy.`)
    : paint(
        'red',
        bad === 0
          ? paths.some(isBroken)
            ? 'A path of alerts is broken.'
            : 'A host could not be read.'
          : `${bad} of ${counted(all, 'instance')} unhealthy.`,
      )
  return [
    columns([...BEFORE, ...own, ...AFTER], instances.map(rowOf(own, Date.parse(look.at)))),
    ...pathsText(paths),
    ...why,
    ...notes.map((note) => `${paint('yellow', 'note')} ${setIn(note)}`),
    sum,
  ].join('\n')
}

/** A span for people, its two largest units: `45s`, `12m`, `3h20m`, `12d4h`. */
export const spanText = (seconds: number): string => {
  const [minutes, hours, days] = [60, 3_600, 86_400].map((unit) => Math.floor(seconds / unit)) as [
    number,
    number,
    number,
  ]
  if (days > 0) return `${days}d${hours % 24}h`
  if (hours > 0) return `${hours}h${minutes % 60}m`
  return minutes > 0 ? `${minutes}m` : `${seconds}s`
}

const rowOf =
  (own: readonly string[], at: number) =>
  (one: InstanceStatus): readonly Cell[] => [
    { text: one.instance },
    { text: one.role },
    { text: one.part ?? '' },
    versionCell(one),
    stateCell(one),
    ratio(one.members && { has: one.members.seen.length, of: one.members.expected.length }),
    one.config ? (one.config.inForce ? { text: 'in force' } : { text: 'differs', style: 'yellow' }) : { text: '' },
    ratio(one.targets && { has: one.targets.up, of: one.targets.of }),
    { text: one.alerts === undefined ? '' : String(one.alerts) },
    { text: one.replay ?? '', style: 'yellow' },
    ...own.map((head) => ({ text: one.shows?.[head] ?? '' })),
    certificateCell(one, at),
    { text: one.uptimeSeconds === undefined ? '' : spanText(one.uptimeSeconds) },
    { text: one.drift === undefined ? '?' : String(one.drift), style: one.drift === 0 ? undefined : 'yellow' },
  ]

/** How long it is valid yet. */
const certificateCell = ({ certificate }: InstanceStatus, at: number): Cell => {
  if (!certificate) return { text: '' }
  const left = Math.round((Date.parse(certificate.until) - at) / 1_000)
  return left > 0 ? { text: spanText(left) } : { text: 'expired', style: 'red' }
}

const versionCell = ({ version }: InstanceStatus): Cell => {
  const { running, disk } = version ?? {}
  if (running === disk) return { text: running ?? '' }
  return { text: running ? `${running} (disk ${disk ?? 'none'})` : `(disk ${disk})`, style: 'yellow' }
}

const stateCell = ({ healthy, service, ready, replay }: InstanceStatus): Cell => {
  if (healthy) return { text: 'healthy', style: 'green' }
  if (service === undefined) return { text: 'unreachable', style: 'red' }
  if (service !== 'running') return { text: service, style: 'red' }
  return replay !== undefined || ready === false
    ? { text: 'starting', style: 'yellow' }
    : { text: 'unhealthy', style: 'red' }
}

const ratio = (counted?: { readonly has: number; readonly of: number }): Cell =>
  counted
    ? { text: `${counted.has}/${counted.of}`, style: counted.has === counted.of ? undefined : 'yellow' }
    : { text: '' }
