import type { Advice, KnownIssue, Role, UpgradeStep } from '../../lib/model.ts'
import { SNAPSHOTS } from './data-snapshot.ts'

/**
 * What is known to break between the versions that run and those that a roll goes to. Findings that are the same on several hosts are one. What
 * blocks comes first.
 */
export const advise = (
  steps: readonly UpgradeStep[],
  { allowOneWay }: { readonly allowOneWay: boolean },
): readonly Advice[] => {
  const found = [
    ...steps.flatMap((step) => oneWay(step, allowOneWay)),
    ...[...new Set(steps.map(({ role }) => role))].flatMap((role) =>
      (role.upgrade?.issues ?? []).flatMap((issue) => met(issue, role, steps)),
    ),
  ]
  const once = new Map(found.map((one) => [`${one.where} ${one.what} ${one.why}`, one]))
  return [...once.values()].sort((one, other) => ORDER.indexOf(one.level) - ORDER.indexOf(other.level))
}

const ORDER: readonly Advice['level'][] = ['blocks', 'warns', 'notes']

/** Rules stand on Prometheus hosts, and what they ask for may come from others. */
const met = (issue: KnownIssue, role: Role, steps: readonly UpgradeStep[]): readonly Advice[] => {
  const concerned = steps.filter((one) => one.role === role && one.from !== null && issue.concerns(one.from, one.to))
  const where = issue.everywhere && concerned.length > 0 ? steps : concerned
  const { level, why, fix } = issue
  return where.flatMap((step) => issue.find(step).map((place) => ({ level, ...place, why, fix })))
}

/** Steps that a snapshot of the data would make good. */
const oneWay = ({ host, role, from, to, folder }: UpgradeStep, allowed: boolean): readonly Advice[] => {
  const { data, title = role.name } = role
  if (from === null || !data?.unreadable || !data.snapshotFrom) return []
  const back = data.unreadable({ wrote: from, reader: to })
  if (back)
    return [
      {
        level: 'blocks',
        where: host,
        what: `would go back from ${title} ${from} to ${to}`,
        why: back.why,
        fix: `Go to ${back.via} at the oldest, or use vestal rollback --restore-data where a snapshot was taken.`,
      },
    ]
  const ahead = data.unreadable({ wrote: to, reader: from })
  if (!ahead) return []
  return [
    {
      level: allowed ? 'notes' : 'blocks',
      where: host,
      what: `goes from ${title} ${from} to ${to}, which is one-way`,
      why: ahead.why,
      fix: allowed
        ? `A snapshot of the data is taken before; it stays below ${folder}/${SNAPSHOTS} on the host.`
        : `Go to ${ahead.via} first, or say --allow-one-way: a snapshot is then taken before.`,
    },
  ]
}
