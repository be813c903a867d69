/** Resolves when the signal is whenAborted. */
export const whenAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

export interface Stopping extends Disposable {
  /** Nothing new is begun after it. */
  readonly stop: AbortSignal
  /** What is under way is abandoned. */
  readonly abandon: AbortSignal
  /** Asks for a clean stop, as the first signal does, but without `onFirst`. */
  now(): void
}

/** Ctrl-C, a terminal that is closed, or SIGTERM: the first asks for a clean stop, the second abandons. `dispose` takes the listeners away. */
export const stopOnSignals = (onFirst: () => void): Stopping => {
  const stop = new AbortController()
  const abandon = new AbortController()
  const heard = (): void => {
    if (stop.signal.aborted) abandon.abort()
    else {
      stop.abort()
      onFirst()
    }
  }
  for (const signal of SIGNALS) process.on(signal, heard)
  return {
    stop: stop.signal,
    abandon: abandon.signal,
    now: () => stop.abort(),
    [Symbol.dispose]() {
      for (const signal of SIGNALS) process.off(signal, heard)
    },
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
