import type { Connection, Host, Reach } from '../model.ts'

export interface Pool extends AsyncDisposable {
  readonly reach: Reach
  /** The same for questions alone: where the link of the last one is gone, by a new one. What changes a host is bound to the link that has its lock. */
  readonly ask: Reach
  /** The next call for this host makes a new connection: the link of the last one is gone, or was never made. */
  forget(host: Host): void
  /** What each connected host has cost so far, by name. */
  cost(): Readonly<Record<string, { readonly execs: number; readonly pushedBytes: number }>>
}
export type Connect = (host: Host) => Promise<
  Connection & {
    readonly cost: { readonly execs: number; readonly pushedBytes: number }
    /** Why its link has ended, or null. */
    gone?(): string | null
  }
>

/** One connection per host and run, made when first asked for, all closed at the end. */
export const connectionPool = (connect: Connect): Pool => {
  const open = new Map<string, ReturnType<Connect>>()
  const settled: Awaited<ReturnType<Connect>>[] = []
  const again = new Map<string, ReturnType<Connect>>()
  const make = (host: Host, among: Map<string, ReturnType<Connect>>): ReturnType<Connect> => {
    const made = connect(host).then((connection) => {
      settled.push(connection)
      return connection
    })
    among.set(host.name, made)
    return made
  }
  const reach = (host: Host): ReturnType<Connect> => open.get(host.name) ?? make(host, open)
  return {
    reach,
    async ask(host) {
      const first = await reach(host)
      if (isUp(first)) return first
      const known = again.get(host.name)
      const second = await known?.catch(() => undefined)
      if (second && isUp(second)) return second
      if (again.get(host.name) === known) again.delete(host.name)
      return again.get(host.name) ?? make(host, again)
    },
    forget: (host) => void open.delete(host.name),
    cost() {
      const costs: Record<string, { execs: number; pushedBytes: number }> = {}
      for (const { host, cost } of settled) {
        const { execs = 0, pushedBytes = 0 } = costs[host.name] ?? {}
        costs[host.name] = { execs: execs + cost.execs, pushedBytes: pushedBytes + cost.pushedBytes }
      }
      return costs
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled([...open.values(), ...again.values()])
      await Promise.allSettled(settled.map((connection) => connection[Symbol.asyncDispose]()))
    },
  }
}

const isUp = (connection: Awaited<ReturnType<Connect>>): boolean => (connection.gone?.() ?? null) === null
