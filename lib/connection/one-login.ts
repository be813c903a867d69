import type { Host } from '../model.ts'
import { connect } from './connect.ts'
import type { ConnectOptions, CountedConnection, Login } from './options.ts'

/** Connections that are made over one login a host; the logins end when it is disposed. */
export interface Logins extends AsyncDisposable {
  /**
   * Returns a connection with a count of its own. Logs in where nobody has done so yet, or the login was lost. Throws what `connect` does; whoever
   * asks while a login is under way shares what becomes of it.
   */
  connect(host: Host): Promise<CountedConnection>
}

/** Logins to hosts, all with these options, so that they share jump hosts, keys and known_hosts as well. */
export const oneLoginEach = (options: ConnectOptions, open: typeof connect = connect): Logins => {
  const logins = new Map<string, Promise<Login>>()
  const all: Promise<Login>[] = []
  const login = (host: Host): Promise<Login> => {
    const made = open(host, options)
    made.catch(() => logins.get(nameOf(host)) === made && logins.delete(nameOf(host)))
    logins.set(nameOf(host), made)
    all.push(made)
    return made
  }
  const standing = async (host: Host): Promise<Login> => {
    for (;;) {
      const known = logins.get(nameOf(host)) ?? login(host)
      const made = await known
      if (made.gone() === null) return made
      if (logins.get(nameOf(host)) === known) logins.delete(nameOf(host))
    }
  }
  return {
    connect: async (host) => (await standing(host)).share(host),
    async [Symbol.asyncDispose]() {
      const settled = await Promise.allSettled(all)
      await Promise.allSettled(
        settled.map((one) => (one.status === 'fulfilled' ? one.value[Symbol.asyncDispose]() : undefined)),
      )
    },
  }
}

/** A host of two inventories, one before and one after an edit, is the same machine as long as it is reached in the same way. */
const nameOf = ({ name, link }: Host): string =>
  JSON.stringify([name, link.via, link.address, link.port, link.user, link.become?.user, link.options, link.program])
