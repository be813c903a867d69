import { inspect } from 'node:util'

const SHOWN = '[secret]'

/** A value that never prints: string conversion, JSON and `util.inspect` all say "[secret]". Only `reveal()` gives it. */
export class Secret {
  readonly #value: string
  constructor(value: string) {
    this.#value = value
  }
  reveal(): string {
    return this.#value
  }
  toString(): string {
    return SHOWN
  }
  toJSON(): string {
    return SHOWN
  }
  [inspect.custom](): string {
    return SHOWN
  }
}

/** Text some parts of which are secret. It prints with "[secret]" in their place; `reveal()` gives the real bytes. */
export class Sealed {
  readonly #parts: readonly (string | Secret)[]
  constructor(parts: readonly (string | Secret)[]) {
    this.#parts = parts
  }
  reveal(): string {
    return this.#parts.map((part) => (part instanceof Secret ? part.reveal() : part)).join('')
  }
  toString(): string {
    return this.#parts.join('')
  }
  toJSON(): string {
    return this.toString()
  }
  [inspect.custom](): string {
    return this.toString()
  }
}

/** What a file can be made of. */
export type Content = string | Uint8Array | Sealed

/** The real bytes of `content`; the only place where they are asked for is on their way to a host or into a hash. */
export const bytesOf = (content: Content): Buffer =>
  Buffer.from(content instanceof Sealed ? content.reveal() : (content as string & Uint8Array))

/** True when nobody may see the content, not even as a diff. */
export const isSecret = (content: Content): boolean => content instanceof Sealed
