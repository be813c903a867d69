import { collectLast } from '../collect.ts'

/**
 * How a script's output is told apart from what its commands print: a record separator, a random word, an event, a line end.
 * Everything up to the next marker belongs to that event.
 */
const SEPARATOR = '\x1e'
/** No marker's line is longer. */
const LONGEST = 4096
const SHOWN = 64 * 1024
/** No script prints more of them: a host with 2,000 tasks, a tenth. Each takes twenty times its bytes here. */
const MOST_MARKS = 50_000

export interface Frame {
  /** Shell that prints one marker; `event` is a plain word, `detail` is shell text put in double quotes. */
  mark(event: string, detail?: string): string
  /** Splits output into events with what followed each. Bytes before the first marker are dropped, and markers beyond 50,000. */
  split(output: Buffer): readonly Framed[]
  /** Takes output piece by piece and tells of each marker once, as it comes. It looks at each byte once, whatever comes. */
  follow(tell: (mark: Mark) => void): (chunk: Buffer) => void
}
export interface Mark {
  readonly event: string
  readonly detail: string
  /** The last 64 KiB of what came between the marker before and this one. */
  readonly before: Buffer
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
      for (let at = output.indexOf(start); at >= 0 && framed.length < MOST_MARKS; ) {
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
    follow(tell) {
      const before = collectLast(SHOWN)
      let held: Buffer = Buffer.alloc(0)
      return (chunk) => {
        const bytes = Buffer.concat([held, chunk])
        let from = 0
        for (;;) {
          const at = bytes.indexOf(start, from)
          // What could be the beginning of a marker waits for the rest of it.
          const until = at < 0 ? Math.max(from, bytes.length - start.length + 1) : at
          before.add(bytes.subarray(from, until))
          held = bytes.subarray(until)
          if (at < 0) return
          const lineEnd = bytes.indexOf('\n', at)
          if (lineEnd < 0 && held.length <= LONGEST) return
          from = lineEnd < 0 ? bytes.length : lineEnd + 1
          if (lineEnd < 0) continue
          const [event = '', ...detail] = bytes.toString('utf8', at + start.length, lineEnd).split(' ')
          tell({ event, detail: detail.join(' '), before: before.take() })
        }
      }
    },
  }
}
