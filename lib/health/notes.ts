/** What no row of a status shows by itself: only the whole fleet does. Pure. */
import type { Role } from '../model.ts'
import { partitionsOf } from './partitions.ts'
import type { HostStatus, InstanceStatus } from './types.ts'

/** One sentence for each: hosts that can't be reached, a run under way, clusters that are split or incomplete, versions mixed, stale processes. */
export const notesOf = (
  instances: readonly InstanceStatus[],
  hosts: Readonly<Record<string, HostStatus>>,
  roles: readonly Pick<Role, 'name' | 'cluster'>[],
): readonly string[] => [
  ...Object.entries(hosts).flatMap(([name, { reachable, why, facts }]) => {
    if (!reachable) return [`${name} could not be read: ${why}`]
    const lock = facts?.lock
    return lock ? [`${name} is being changed by ${lock.owner} since ${lock.since} (run ${lock.run})`] : []
  }),
  ...[...Map.groupBy(instances, ({ role }) => role)].flatMap(([role, some]) => [
    ...clusterNotes(
      role,
      some,
      roles.find(({ name }) => name === role)?.cluster?.whenSplit ?? 'each side sees only itself',
    ),
    ...versionNotes(role, some),
  ]),
]

const clusterNotes = (role: string, instances: readonly InstanceStatus[], whenSplit: string): readonly string[] => {
  const views = instances.flatMap(({ instance, members }) =>
    members ? [{ name: instance, self: members.self, seen: members.seen }] : [],
  )
  const partitions = partitionsOf(views)
  const known = new Set(views.map(({ self }) => self))
  const expected = new Set(instances.flatMap(({ members }) => members?.expected ?? []))
  // One whose service is known not to run has said why: that is its own line.
  const silent = instances
    .filter(({ members, service }) => !members && (service ?? 'running') === 'running')
    .map(({ instance }) => instance)
  const seen = new Set(views.flatMap((view) => view.seen))
  const gone = [...expected].filter((address) => !known.has(address) && !seen.has(address))
  return [
    ...(partitions.length > 1
      ? [
          `the ${role} cluster is split into ${partitions.length} partitions: ${partitions.map((partition) => partition.join(' + ')).join(' | ')}; ${whenSplit}`,
        ]
      : []),
    ...(expected.size > 0 && silent.length > 0
      ? [
          `${silent.join(', ')} ${silent.length === 1 ? 'does' : 'do'} not answer${gone.length > 0 ? ' and left' : ', yet is seen in'} the ${role} cluster${partitions.length === 1 ? `; the other ${views.length} see each other` : ''}`,
        ]
      : []),
  ]
}

const versionNotes = (role: string, instances: readonly InstanceStatus[]): readonly string[] => {
  const running = instances.flatMap(({ instance, version }) =>
    version?.running ? [{ instance, version: version.running }] : [],
  )
  const byVersion = Map.groupBy(running, ({ version }) => version)
  const stale = instances.filter(
    ({ version }) => version?.running !== undefined && version.disk !== undefined && version.running !== version.disk,
  )
  return [
    ...(byVersion.size > 1
      ? [
          `${role} runs in ${byVersion.size} versions, as in the middle of a roll: ${[...byVersion].map(([version, some]) => `${version} on ${some.map(({ instance }) => instance).join(', ')}`).join('; ')}`,
        ]
      : []),
    ...stale.map(
      ({ instance, version }) =>
        `${role} on ${instance} is a stale process: it runs ${version?.running}, ${version?.disk} is on disk`,
    ),
  ]
}
