import { InputError } from '../errors.ts'
import type { Host } from '../model.ts'
import type { ConnectOptions, Login } from './options.ts'

/**
 * Returns an open connection to a host: over SSH, or to this machine itself where `ansible_connection` is `local`.
 * Calls that are given the same `options` object share jump hosts, keys and known_hosts. Throws LinkError, `signal`'s reason, and InputError
 * where the host's variables give no way to it.
 */
export const connect = async (host: Host, options: ConnectOptions = {}): Promise<Login> => {
  options.signal?.throwIfAborted()
  if (host.link.mistakes) throw new InputError(host.link.mistakes)
  if (host.link.via === 'local') return (await import('./local.ts')).openLocal(host, options)
  return (await import('./ssh/open.ts')).openSsh(host, options)
}
