import { HostError } from '../errors.ts'

/** The host opens no further session on this login, as sshd's `MaxSessions` has it do. */
export class NoSession extends HostError {
  override readonly name = 'NoSession'
  constructor(host: string, error: Error) {
    super(host, `the host does not open another session: ${error.message}`, {
      cause: error,
      hint: 'Compare `MaxSessions` in its sshd_config.',
    })
  }
}

/** How long one waits for others of the same login to end. */
const waitMs = 120_000
/** A host may take a moment to notice that a session has ended, and one that has just been asked for may not be open yet. */
const noticeMs = 100
const NOTICES = 20

interface Opening<T> {
  /** Throws NoSession where the host has none to give. */
  open(): Promise<T>
  /** Whether to be refused at once. */
  readonly atOnce?: boolean
  /** Settles when it has ended. */
  ended(made: T): Promise<unknown>
}

/** Opens sessions of one login; one that the host refuses while others are open is asked for again when one of them has ended. */
export const sessionsOf = (): (<T>(opening: Opening<T>) => Promise<T>) => {
  let open = 0
  const waiting = new Set<() => void>()
  const oneLess = (): void => {
    open -= 1
    for (const wake of waiting) wake()
  }
  const another = (ms: number): Promise<boolean> =>
    new Promise((resolve) => {
      const done = (ended: boolean): void => {
        clearTimeout(timer)
        waiting.delete(wake)
        resolve(ended)
      }
      const wake = (): void => done(true)
      const timer = setTimeout(() => done(false), ms)
      waiting.add(wake)
    })
  return async ({ open: ask, ended, atOnce = false }) => {
    const until = Date.now() + waitMs
    for (let notices = 0; ; ) {
      try {
        const made = await ask()
        open += 1
        ended(made).then(oneLess, oneLess)
        return made
      } catch (error) {
        if (!(error instanceof NoSession) || atOnce || Date.now() > until) throw error
        if (open > 0) await another(until - Date.now())
        else if (notices < NOTICES) {
          notices += 1
          await another(noticeMs)
        } else throw error
      }
    }
  }
}
