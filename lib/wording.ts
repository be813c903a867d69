/** A count with its noun, which takes a plain plural: `1 silence`, `3 silences`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

/** A few names and how many more there are: a verdict is read in a terminal. */
export const listed = (names: readonly string[], most = 5): string =>
  names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`
