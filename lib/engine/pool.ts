import type { Connection, Host, Reach } from '../model.ts'

export interface Pool extends AsyncDisposable {
  readonly reach: Reach
  /** The next call for this host makes a new connection: the link of the last one is gone, or was never made. */
  forget(host: Host): void
  /** What each connected host has cost so far, by name. */
  cost(): Readonly<Record<string, { readonly execs: number; readonly pushedBytes: number }>>
}
export type Connect = (
  host: Host,
) => Promise<Connection & { readonly cost: { readonly execs: number; readonly pushedBytes: number } }>

/** One connection per host and run, made when first asked for, all closed at the end. */
export const connectionPool = (connect: Connect): Pool => {
  const open = new Map<string, ReturnType<Connect>>()
  const settled: Awaited<ReturnType<Connect>>[] = []
  return {
    reach(host) {
      const known = open.get(host.name)
      if (known) return known
      const made = connect(host).then((connection) => {
        settled.push(connection)
        return connection
      })
      open.set(host.name, made)
      return made
    },
    forget: (host) => void open.delete(host.name),
    cost: () =>
      Object.fromEntries(settled.map(({ host, cost: { execs, pushedBytes } }) => [host.name, { execs, pushedBytes }])),
    async [Symbol.asyncDispose]() {
      await Promise.allSettled([...open.values()])
      await Promise.allSettled(settled.map((connection) => connection[Symbol.asyncDispose]()))
    },
  }
}
