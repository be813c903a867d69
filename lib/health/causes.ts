/** What is unhealthy only because something else is: it is kept apart, so that one cause is one line. Pure. */
import { partitionsOf } from './partitions.ts'
import type { InstanceStatus } from './types.ts'

/** A gate's no, and what it lacks as `address:port`, where it says so. */
export interface Failing {
  readonly text: string
  readonly lacks?: readonly string[]
}
/** An instance as it was read, before causes are known. */
export interface Answered extends Omit<InstanceStatus, 'healthy' | 'failing' | 'because'> {
  /** Where the others reach it, as the inventory has it. */
  readonly address: string
  readonly reachable: boolean
  readonly failing: readonly Failing[]
}

/**
 * Leaves each instance what is wrong with itself. A host that can't be read explains its instances, a service that doesn't run its
 * own gates, and the gates of its peers that lack nothing but it; a split cluster explains those that lack only the other sides.
 */
export const withCauses = (rows: readonly Answered[]): readonly InstanceStatus[] => {
  const elsewhere = otherSides(rows)
  return rows.map(({ address: _, reachable, failing, ...row }) => {
    const { instance, role, service } = row
    if (!reachable) return { ...row, healthy: false, failing: [], because: [`${instance} can't be read`] }
    if (service !== undefined && service !== 'running')
      return { ...row, healthy: false, failing: [`its service is ${service}`] }
    const peers = rows.filter((one) => one.role === role && one.instance !== instance)
    const causes = failing.map(({ lacks = [] }) => {
      const down = lacks.map((one) => peers.find((peer) => isDown(peer) && peer.address === addressOf(one)))
      if (lacks.length > 0 && down.every((peer) => peer !== undefined)) return down.map((peer) => idOf(peer))
      if (lacks.length > 0 && lacks.every((one) => elsewhere.get(instance)?.has(one)))
        return [`the ${role} cluster is split`]
      return undefined
    })
    const because = [...new Set(causes.flatMap((some) => some ?? []))]
    return {
      ...row,
      healthy: failing.length === 0,
      failing: failing.filter((_, index) => !causes[index]).map(({ text }) => text),
      ...(because.length > 0 && { because }),
    }
  })
}

/** How an instance is named where it is the cause. */
export const idOf = ({ instance, role }: Pick<InstanceStatus, 'instance' | 'role'>): string => `${instance} ${role}`

const isDown = ({ reachable, service }: Answered): boolean =>
  !reachable || (service !== undefined && service !== 'running')

/** Of `address:port`, `[address]:port`. */
const addressOf = (place: string): string => place.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')

/** For each instance of a cluster that is split, the members on the other sides. */
const otherSides = (rows: readonly Answered[]): ReadonlyMap<string, ReadonlySet<string>> =>
  new Map(
    [...Map.groupBy(rows, ({ role }) => role).values()].flatMap((some) => {
      const views = some.flatMap(({ instance, members }) => (members ? [{ ...members, name: instance }] : []))
      const sides = partitionsOf(views)
      return views.map(({ name }) => {
        const own = sides.find((side) => side.includes(name)) ?? []
        return [name, new Set(views.filter((one) => !own.includes(one.name)).map(({ self }) => self))] as const
      })
    }),
  )
