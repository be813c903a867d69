import { InputError } from '../lib/errors.ts'
import { didYouMean } from '../lib/inventory/did-you-mean.ts'
import type { Host } from '../lib/model.ts'

/**
 * What to throw for a failure that yargs reports: it has a message for words that make no sense, and only the error for what a
 * command itself threw. A check of ours comes by twice, the second time as the error made of it here.
 */
export const usageError = (message: string | null, error: Error | undefined, fix: string): unknown =>
  message === null || error instanceof InputError
    ? error
    : new InputError([{ where: 'command line', what: message, fix }])

/** Throws InputError for names given to a flag that none of these hosts has: a slip there would otherwise do nothing, unseen. */
export const requireHosts = (flag: string, names: readonly string[], hosts: readonly Host[]): void => {
  const known = hosts.map(({ name }) => name)
  const unknown = names.filter((name) => !known.includes(name))
  if (unknown.length === 0) return
  throw new InputError(
    unknown.map((name) => ({
      where: flag,
      path: name,
      what: `no host of this run is called that${didYouMean(name, known)}`,
      fix: 'vestal inventory lists the hosts',
    })),
  )
}
