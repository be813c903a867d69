/** Resolves when the signal is whenAborted. */
export const whenAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** Ctrl-C: the first asks for a clean stop, the second abandons. `dispose` takes the listeners away. */
export const stopOnSignals = (
  onFirst: () => void,
): Disposable & { readonly stop: AbortSignal; readonly abandon: AbortSignal } => {
  const stop = new AbortController()
  const abandon = new AbortController()
  const heard = (): void => {
    if (stop.signal.aborted) abandon.abort()
    else {
      stop.abort()
      onFirst()
    }
  }
  process.on('SIGINT', heard).on('SIGTERM', heard)
  return {
    stop: stop.signal,
    abandon: abandon.signal,
    [Symbol.dispose]: () => void process.off('SIGINT', heard).off('SIGTERM', heard),
  }
}
