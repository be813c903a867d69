import { connect } from '../connection/connect.ts'
import type { Connect } from '../engine/pool.ts'
import type { CommonFlags } from './options.ts'

/** How this command's flags reach a host. */
export const connecting =
  (flags: CommonFlags, signal?: AbortSignal): Connect =>
  (host) =>
    connect(host, {
      knownHosts: flags.knownHosts,
      privateKey: flags.privateKey,
      acceptNewHostKeys: flags.acceptNewHostKeys,
      signal,
    })
