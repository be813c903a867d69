/** Output as it comes, in one piece of memory: a host may send it byte by byte, and as much as it likes. */
export interface Collected {
  add(chunk: Uint8Array): void
  bytes(): Buffer
}

/** Keeps so many bytes; `full` is called once, for the first byte more, and nothing is kept then. */
export const collectUpTo = (most: number, full: () => void): Collected => {
  const memory = growing()
  let over = false
  return {
    add(chunk) {
      if (over) return
      if (memory.length() + chunk.length <= most) return memory.append(chunk)
      over = true
      memory.cut(0)
      full()
    },
    bytes: memory.bytes,
  }
}

/** Keeps the last so many bytes. `take` hands them over and begins anew. */
export const collectLast = (most: number): Collected & { take(): Buffer } => {
  const memory = growing()
  const bytes = (): Buffer => memory.bytes().subarray(-most)
  return {
    add(chunk) {
      memory.append(chunk.subarray(Math.max(0, chunk.length - most)))
      // Not at each chunk, so that it costs no more than what comes.
      if (memory.length() > 2 * most) memory.cut(most)
    },
    bytes,
    take() {
      const all = bytes()
      memory.cut(0)
      return all
    },
  }
}

const growing = () => {
  let memory = Buffer.alloc(0)
  let length = 0
  return {
    length: () => length,
    bytes: () => memory.subarray(0, length),
    append(chunk: Uint8Array): void {
      if (length + chunk.length > memory.length) {
        const larger = Buffer.alloc(Math.max(4096, 2 * memory.length, length + chunk.length))
        memory.copy(larger, 0, 0, length)
        memory = larger
      }
      memory.set(chunk, length)
      length += chunk.length
    },
    /** Leaves the last so many bytes. */
    cut(last: number): void {
      memory = Buffer.from(memory.subarray(Math.max(0, length - last), length))
      length = memory.length
    },
  }
}
