/** The candidate that `word` is most likely a slip of the pen for; undefined when none is near. */
export const nearest = (word: string, candidates: Iterable<string>, limit = slipsAllowed): string | undefined => {
  let best: { name: string; rank: number } | undefined
  for (const name of candidates) {
    if (Math.abs(name.length - word.length) > 2) continue
    const distance = editDistance(word.toLowerCase(), name.toLowerCase())
    // Of two that are as near, the one of the same length.
    const rank = distance + (name.length === word.length ? 0 : 0.5)
    if (distance <= limit(name) && rank < (best?.rank ?? Number.POSITIVE_INFINITY)) best = { name, rank }
  }
  return best?.name
}

/** `; did you mean …?`, to be put after a sentence; empty when nothing is near. */
export const didYouMean = (word: string, candidates: Iterable<string>): string => {
  const name = nearest(word, candidates)
  return name === undefined ? '' : `; did you mean \`${name}\`?`
}

/** Short words are near everything: they are allowed one slip, longer ones two. */
const slipsAllowed = (name: string): number => (name.length < 6 ? 1 : 2)

/** Letters added, left out, changed, or swapped with their neighbour (optimal string alignment). */
export const editDistance = (a: string, b: string): number => {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      const cost = Math.min(
        cell(above, column) + 1,
        cell(current, column - 1) + 1,
        cell(above, column - 1) + (same ? 0 : 1),
      )
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      current.push(swapped ? Math.min(cost, cell(before, column - 2) + 1) : cost)
    }
    before = above
    above = current
  }
  return cell(above, b.length)
}

const cell = (row: readonly number[], column: number): number => row[column] ?? Number.POSITIVE_INFINITY
