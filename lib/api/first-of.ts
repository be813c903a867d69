import { HostError } from '../errors.ts'

/**
 * What `work` gives with the first of these members that it doesn't fail with, each in its turn. Throws the HostError of the last one, and
 * `none` where there is no member; another error at once.
 */
export const firstOf = async <M, T>(
  members: readonly M[],
  none: HostError,
  work: (member: M) => Promise<T>,
): Promise<T> => {
  let last: unknown = none
  for (const member of members) {
    try {
      return await work(member)
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      last = error
    }
  }
  throw last
}
