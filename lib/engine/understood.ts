import { HostError } from '../errors.ts'

/**
 * What a host has said, read by `read`. A host may say anything: where reading it throws, that is a failure of this host (a HostError that
 * names what it was asked about), and no other's.
 */
export const understood = <T>(host: string, about: string, read: () => T): T => {
  try {
    return read()
  } catch (error) {
    if (error instanceof HostError) throw error
    throw new HostError(
      host,
      `what it says of ${about} cannot be understood: ${error instanceof Error ? error.message : error}`,
      {
        task: 'read',
        hint: 'Log in there and see what its stat, date and systemctl print, and whether they are the real ones.',
        cause: error,
      },
    )
  }
}
