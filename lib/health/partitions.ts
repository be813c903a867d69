/** What one member of a cluster says: its own address, and the addresses it sees, itself included. */
export interface View {
  readonly name: string
  readonly self: string
  readonly seen: readonly string[]
}

/** The members that see each other, directly or by way of others, as groups of names; the largest first. One group is a whole cluster. */
export const islandsOf = (views: readonly View[]): readonly (readonly string[])[] => {
  const left = new Set(views)
  const islands: (readonly string[])[] = []
  for (const start of views) {
    if (!left.delete(start)) continue
    const island = [start]
    for (const one of island) {
      for (const other of left) {
        if (!sees(one, other) && !sees(other, one)) continue
        left.delete(other)
        island.push(other)
      }
    }
    islands.push(views.filter((view) => island.includes(view)).map(({ name }) => name))
  }
  return islands.sort((one, other) => other.length - one.length)
}

const sees = (one: View, other: View): boolean => one.seen.includes(other.self)
