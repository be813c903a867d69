import type { Duplex, Readable, Writable } from 'node:stream'
import type { Listening } from '../model.ts'
import type { Become } from './script/bootstrap.ts'

/** What SSH and the machine itself have in common: they start programs and reach ports. */
export interface Transport {
  /**
   * Starts the bootstrap; where the host has no room for another, when there is some, or `atOnce` or not at all. Throws LinkError when the link is gone, HostError when
   * the host refuses.
   */
  start(become?: Become, how?: { readonly atOnce?: boolean }): Promise<Program>
  /** A stream to a port as the machine itself reaches it. Throws HostError when nothing answers there or the host does not allow it, LinkError when the link is gone. */
  dial(address: string, port: number): Promise<Duplex>
  /** Whether `dial` reaches ports of the machine's loopback without a program of the machine's that leads there. Throws LinkError when the link is gone. */
  forwards(port: number): Promise<boolean>
  /** Takes connections to a port of the machine's loopback. Throws HostError where it may not, LinkError when the link is gone. */
  listen(port: number, take: (stream: Duplex) => void): Promise<Listening>
  /** Why the link has ended, or null. */
  gone(): string | null
  /** Cuts the link; whatever runs over it ends as lost, for this reason. */
  drop(why: string): void
  close(): Promise<void>
}

/** A program that was started on the machine. */
export interface Program {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** Settles when it has ended and all its output has been read; never rejects. */
  readonly ended: Promise<Ended>
  /** Takes its input and output away. It may run on. */
  kill(): void
}
/** An exit code (128 + n for signal n), or why nothing is known of how it ended. */
export type Ended = { readonly code: number } | { readonly lost: string }
