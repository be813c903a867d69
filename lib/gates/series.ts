/**
 * The values of all series of this name on a page of metrics. It looks for them only: a page of a few bytes a line is not taken apart. NaN for a value that
 * is no number.
 */
export const seriesOf = (page: string, name: string): readonly number[] =>
  [...page.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)`, 'gm'))].map(([, value]) => Number(value))
