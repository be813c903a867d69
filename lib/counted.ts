/** A count with its noun, which takes a plain plural: `1 silence`, `3 silences`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
