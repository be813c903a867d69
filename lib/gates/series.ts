/**
 * The values of all series of this name on a page of metrics. It looks for them only: a page of a few bytes a line is not taken apart. NaN for a value that
 * is no number.
 */
export const seriesOf = (page: string, name: string): readonly number[] =>
  [...page.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)`, 'gm'))].map(([, value]) => Number(value))

/** One sample of a page of metrics. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** All samples of this name on a page of metrics, with their labels. */
export const samplesOf = (page: string, name: string): readonly Sample[] =>
  [...page.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)`, 'gm'))].map(([, labels = '', value]) => ({
    labels: Object.fromEntries(
      [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', text = '']) => [
        key,
        text.replaceAll(/\\(.)/g, (_, one) => (one === 'n' ? '\n' : one)),
      ]),
    ),
    value: Number(value),
  }))
