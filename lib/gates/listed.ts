/** A few names and how many more there are: a verdict is read in a terminal. */
export const listed = (names: readonly string[], most = 5): string =>
  names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`

/** What is in `wanted` and not in `found`, in its order. */
export const missingFrom = (found: ReadonlySet<string>, wanted: ReadonlySet<string>): readonly string[] =>
  [...wanted].filter((one) => !found.has(one))
