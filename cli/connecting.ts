import { connect } from '../lib/connection/connect.ts'
import type { Connect } from '../lib/engine/pool.ts'
import type { CommonFlags } from './options.ts'

/** How this command's flags reach a host. All hosts share one set of options, and with it logins to jump hosts, keys and known_hosts. */
export const connecting = ({ knownHosts, privateKey, acceptNewHostKeys }: CommonFlags): Connect => {
  const options = { knownHosts, privateKey, acceptNewHostKeys }
  return (host) => connect(host, options)
}
