/**
 * How a script's output is told apart from what its commands print: a record separator, a random word, an event, a line end.
 * Everything up to the next marker belongs to that event.
 */
const SEPARATOR = '\x1e'

export interface Frame {
  /** Shell that prints one marker; `event` is a plain word, `detail` is shell text put in double quotes. */
  mark(event: string, detail?: string): string
  /** Splits output into events with what followed each. Bytes before the first marker are dropped. */
  split(output: Buffer): readonly Framed[]
}
export interface Framed {
  readonly event: string
  readonly detail: string
  readonly body: Buffer
}

/** A frame around a random word; two frames never mistake each other's markers. */
export const frame = (nonce: string): Frame => {
  const start = Buffer.from(`${SEPARATOR}${nonce} `)
  return {
    mark: (event, detail = '') => `printf '\\036%s %s %s\\n' ${nonce} ${event} "${detail}" || exit 74`,
    split(output) {
      const framed: Framed[] = []
      for (let at = output.indexOf(start); at >= 0; ) {
        const lineEnd = output.indexOf('\n', at)
        if (lineEnd < 0) break
        const [event = '', ...detail] = output.toString('utf8', at + start.length, lineEnd).split(' ')
        const next = output.indexOf(start, lineEnd)
        framed.push({
          event,
          detail: detail.join(' '),
          body: output.subarray(lineEnd + 1, next < 0 ? undefined : next),
        })
        at = next
      }
      return framed
    },
  }
}
