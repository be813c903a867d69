import type { Duplex } from 'node:stream'
import { LinkError } from '../../errors.ts'
import { jumpFailure, late } from './connect-errors.ts'
import type { Life } from './liveness.ts'
import type { Session } from './session.ts'
import type { Target } from './target.ts'

/** A login on a jump host, and how many connections go through it. */
export interface Jumping<S extends Life = Session> {
  users: number
  readonly session: Promise<S>
}
interface JumpWay<S extends Life> {
  readonly target: Target
  readonly via: Target
  /** Logins on jump hosts, by where they lead. */
  readonly jumps: Map<string, Jumping<S>>
  /** Logs in on the jump host, if no other connection has done so. */
  open(): Promise<S>
}

/**
 * Opens a session through a jump host. One login there serves all that go through it, and ends with the
 * last of them. Throws LinkError in the name of the host that is to be reached.
 */
export const throughJump = async <S extends Life>(way: JumpWay<S>, open: (jump: S) => Promise<S>): Promise<S> => {
  const { jump, release } = await take(way)
  try {
    const session = await open(jump)
    const ignore = jump.onGone((why) => session.drop(`its jump host ${way.via.address} was lost: ${why}`))
    session.onGone(() => {
      ignore()
      release()
    })
    return session
  } catch (error) {
    release()
    throw error
  }
}

const take = async <S extends Life>({
  target,
  via,
  jumps,
  open,
}: JumpWay<S>): Promise<{ jump: S; release: () => void }> => {
  const name = nameOf(via)
  const entry = jumps.get(name) ?? { users: 0, session: open() }
  jumps.set(name, entry)
  entry.users += 1
  const forget = (): void => void (jumps.get(name) === entry && jumps.delete(name))
  try {
    const jump = await entry.session
    jump.onGone(forget)
    const release = (): void => {
      entry.users -= 1
      if (entry.users > 0) return
      forget()
      jump.close()
    }
    return { jump, release }
  } catch (error) {
    forget()
    if (!(error instanceof LinkError)) throw error
    throw new LinkError(target.host, `its jump host cannot be used: ${error.message}`, {
      hint: error.hint,
      cause: error,
    })
  }
}

const nameOf = ({ user, address, port, via }: Target): string =>
  `${user}@${address}:${port}${via ? ` through ${nameOf(via)}` : ''}`

/** A stream through a jump host. Throws LinkError. */
export const forward = (
  { client }: Session,
  { target, via }: { readonly target: Target; readonly via: Target },
): Promise<Duplex> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(late(target, `did not answer ${via.address}, its jump host,`)),
      target.timeoutMs,
    )
    const answer = (error: Error | undefined, stream: Duplex): void => {
      clearTimeout(timer)
      if (error) reject(jumpFailure(target, via, error))
      else resolve(stream)
    }
    client.forwardOut('127.0.0.1', 0, target.address, target.port, answer)
  })
