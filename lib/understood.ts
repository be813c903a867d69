import { HostError } from './errors.ts'

interface FailureOptions {
  readonly task?: string
  readonly hint?: string
}

/**
 * What a host has said, read by `read`. A host may say anything: where reading it throws, that is a failure of this host (a HostError that
 * names what it was asked about), and no other's.
 */
export const understood = <T>(host: string, about: string, read: () => T, failure: FailureOptions = {}): T => {
  try {
    return read()
  } catch (error) {
    if (error instanceof HostError) throw error
    const {
      task = 'read',
      hint = 'Log in there and see what its stat, date and systemctl print, and whether they are the real ones.',
    } = failure
    const why = error instanceof Error ? error.message : String(error)
    throw new HostError(host, `what it says of ${about} cannot be understood: ${why}`, { task, hint, cause: error })
  }
}
