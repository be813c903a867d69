import { setTimeout as sleep } from 'node:timers/promises'
import { HostError, LinkError } from '../errors.ts'
import type { Connection, Host, Reach } from '../model.ts'

/** A link that is made again whenever it breaks, until it is disposed. */
export interface KeptLink extends AsyncDisposable {
  readonly host: Host
  /** Settles with the first attempt: null when the link was of use, else what went wrong. Never rejects. */
  readonly first: Promise<unknown>
  /** The connection while it is of use. */
  connection(): Connection | undefined
}
interface KeptLinkOptions {
  readonly connect: Reach
  /** Uses a connection for as long as it can be used, or until `over`. `up` is called when it is of use. */
  use(connection: Connection, hooks: { readonly up: () => void; readonly over: AbortSignal }): Promise<unknown>
  readonly onBack?: () => void
  readonly onLost?: (why: string) => void
}
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 5_000
/** A host that no longer answers must not keep the run from ending. */
const GOODBYE_MS = 5_000

/** Keeps a link to a host in use: what breaks is tried again, ever more slowly to every 5 seconds. */
export const keepLink = (host: Host, { connect, use, onBack, onLost }: KeptLinkOptions): KeptLink => {
  const over = new AbortController()
  const first = Promise.withResolvers<unknown>()
  let current: Connection | undefined
  let wasUp = false
  const once = async (): Promise<boolean> => {
    let useful = false
    try {
      await using connection = await connect(host)
      const up = (): void => {
        useful = true
        current = connection
        first.resolve(null)
        if (wasUp) onBack?.()
        wasUp = true
      }
      await use(connection, { up, over: over.signal })
      if (useful && !over.signal.aborted) onLost?.('the link was lost')
    } catch (error) {
      if (useful && !over.signal.aborted) onLost?.(error instanceof Error ? error.message : String(error))
      first.resolve(error)
    } finally {
      current = undefined
    }
    return useful
  }
  const loop = (async () => {
    for (let pause = FIRST_PAUSE_MS; !over.signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      if (await once()) pause = FIRST_PAUSE_MS
      await sleep(pause, undefined, { signal: over.signal }).catch(() => undefined)
    }
  })()
  return {
    host,
    first: first.promise,
    connection: () => current,
    async [Symbol.asyncDispose]() {
      over.abort()
      await Promise.race([loop, sleep(GOODBYE_MS, undefined, { ref: false })])
    },
  }
}

/**
 * Waits for the first attempt of each. A host that cannot be reached is passed over as long as another is of use; throws what a host
 * that was reached has said no with.
 */
export const requireFirst = async (links: readonly KeptLink[]): Promise<void> => {
  const failures = (await Promise.all(links.map(({ first }) => first))).filter((failure) => failure !== null)
  const refused = failures.find((failure) => !(failure instanceof LinkError))
  if (refused) throw refused
  if (failures.length === links.length) throw failures[0]
}

/** Reaches hosts by their kept links. Throws HostError where one is broken now. */
export const reachBy =
  (links: readonly KeptLink[]): Reach =>
  async (host) => {
    const connection = links.find((link) => link.host === host)?.connection()
    if (connection) return connection
    throw new HostError(host.name, 'its link is broken now')
  }
