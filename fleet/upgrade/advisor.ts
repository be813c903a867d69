import compare from 'semver/functions/compare.js'
import type { Advice } from '../../lib/model.ts'
import type { Subject, Trap } from '../../lib/program/known-issue.ts'
import { alertmanagerMetricTraps, alertmanagerTraps } from '../../roles/alertmanager/known-issues.ts'
import { isOneWay, prometheusTraps } from '../../roles/prometheus/known-issues.ts'

/**
 * What is known to break between the versions that run and those that a roll goes to. Findings that are the same on several hosts are one. What
 * blocks comes first.
 */
export const advise = (
  subjects: readonly Subject[],
  { allowOneWay }: { readonly allowOneWay: boolean },
): readonly Advice[] => {
  const found = [
    ...subjects.flatMap((subject) => oneWay(subject, allowOneWay)),
    ...[...prometheusTraps, ...alertmanagerTraps].flatMap((trap) => bitten(trap, subjects)),
    ...alertmanagerMetricTraps.flatMap((trap) => bittenByOther(trap, subjects)),
  ]
  const once = new Map(found.map((one) => [`${one.where} ${one.what} ${one.why}`, one]))
  return [...once.values()].sort((one, other) => ORDER.indexOf(one.level) - ORDER.indexOf(other.level))
}

const ORDER: readonly Advice['level'][] = ['blocks', 'warns', 'notes']

const bitten = (trap: Trap, subjects: readonly Subject[]): readonly Advice[] =>
  subjects
    .filter(({ program, from, to }) => program === trap.program && from !== null && trap.concerns(from, to))
    .flatMap((subject) => trap.find(subject).map((place) => adviceOf(trap, place)))

/** Rules stand on Prometheus hosts, and what they ask for comes from Alertmanagers. */
const bittenByOther = (trap: Trap, subjects: readonly Subject[]): readonly Advice[] =>
  subjects.some(({ program, from, to }) => program === trap.program && from !== null && trap.concerns(from, to))
    ? subjects.flatMap((subject) => trap.find(subject).map((place) => adviceOf(trap, place)))
    : []

const adviceOf = ({ level, why, fix }: Trap, { where, what }: { where: string; what: string }): Advice => ({
  level,
  where,
  what,
  why,
  fix,
})

/** Source: prometheus docs/migration.md, "TSDB format and downgrade". */
const oneWay = ({ host, program, from, to }: Subject, allowed: boolean): readonly Advice[] => {
  if (program !== 'prometheus' || from === null) return []
  const why = 'Data written by Prometheus 3 can be read by 2.55 and later only.'
  if (compare(from, '3.0.0') >= 0 && compare(to, '2.55.0') < 0) {
    return [
      {
        level: 'blocks',
        where: host,
        what: `would go back from Prometheus ${from} to ${to}`,
        why,
        fix: 'Go to 2.55 at the oldest, or use vestal rollback --restore-data where a snapshot was taken.',
      },
    ]
  }
  if (!isOneWay(from, to)) return []
  return [
    {
      level: allowed ? 'notes' : 'blocks',
      where: host,
      what: `goes from Prometheus ${from} to ${to}, which is one-way`,
      why,
      fix: allowed
        ? 'A snapshot of the data is taken before; it stays below /var/lib/vestal/snapshots on the host.'
        : 'Go to 2.55 first, or say --allow-one-way: a snapshot is then taken before.',
    },
  ]
}
