/** What one member of a cluster says: its own address, and the addresses it sees, itself included. */
export interface View {
  readonly name: string
  readonly self: string
  readonly seen: readonly string[]
}

/** The members that see each other, directly or by way of others, as groups of names; the largest first. One group is a whole cluster. */
export const partitionsOf = (views: readonly View[]): readonly (readonly string[])[] => {
  const left = new Set(views)
  const partitions: (readonly string[])[] = []
  for (const start of views) {
    if (!left.delete(start)) continue
    const partition = [start]
    for (const one of partition) {
      for (const other of left) {
        if (!sees(one, other) && !sees(other, one)) continue
        left.delete(other)
        partition.push(other)
      }
    }
    partitions.push(views.filter((view) => partition.includes(view)).map(({ name }) => name))
  }
  return partitions.sort((one, other) => other.length - one.length)
}

const sees = (one: View, other: View): boolean => one.seen.includes(other.self)
