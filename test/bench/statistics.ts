/** One measured run of a program. */
export interface Sample {
  /** From its start to its end, seen from outside. */
  readonly wallMs: number
  /** Processor time that it and its children took on the controller. */
  readonly cpuMs: number
}
export interface Summary {
  readonly runs: number
  readonly medianMs: number
  readonly minMs: number
  readonly maxMs: number
  readonly medianCpuMs: number
}

/** Throws if there is no sample: a benchmark that measured nothing has no median. */
export const summary = (samples: readonly Sample[]): Summary => {
  const walls = samples.map(({ wallMs }) => wallMs)
  return {
    runs: samples.length,
    medianMs: median(walls),
    minMs: Math.min(...walls),
    maxMs: Math.max(...walls),
    medianCpuMs: median(samples.map(({ cpuMs }) => cpuMs)),
  }
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.floor((sorted.length - 1) / 2)]
  if (upper === undefined || lower === undefined) throw new Error('nothing was measured')
  return (lower + upper) / 2
}
