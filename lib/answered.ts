import { HostError } from './errors.ts'

/** What a host answers; null where it doesn't. What else goes wrong is thrown. */
export const answered = async <T>(question: () => Promise<T>): Promise<T | null> => {
  try {
    return await question()
  } catch (error) {
    if (error instanceof HostError) return null
    throw error
  }
}
