import type { AnyAuthMethod, AuthHandlerMiddleware } from 'ssh2'
import type { AuthMethod } from './auth-methods.ts'

export interface Login {
  /** For ssh2: called for each try. */
  readonly handler: AuthHandlerMiddleware
  /** What has been tried, in words: keys by file and fingerprint. */
  readonly tried: readonly string[]
  /** The methods that the host said it would still accept. */
  accepted(): readonly string[]
}

/** Tries ways to log in, each once, in order, save those that the host does not take now; it may take them later, as its second factor. */
export const login = (ways: readonly AuthMethod[]): Login => {
  const left = [...ways]
  const tried: string[] = []
  let accepted: readonly string[] | null = null
  const next = async (): Promise<AnyAuthMethod | false> => {
    for (;;) {
      const index = left.findIndex(({ method }) => !accepted || accepted.includes(method))
      const [way] = index < 0 ? [] : left.splice(index, 1)
      if (!way) return false
      const { offer, words } = await way.open()
      if (words) tried.push(words)
      if (offer) return offer
    }
  }
  return {
    tried,
    accepted: () => accepted ?? [],
    handler(methods, _partial, proceed) {
      accepted = (methods as readonly string[] | null) ?? accepted
      // ssh2 takes false for "nothing left to try"; its types leave that out.
      next().then(proceed as (offer: AnyAuthMethod | false) => void)
    },
  }
}
