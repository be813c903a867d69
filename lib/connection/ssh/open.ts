import { LinkError } from '../../errors.ts'
import type { Host } from '../../model.ts'
import { openOpenSsh } from '../openssh/open.ts'
import type { ConnectOptions, Login } from '../options.ts'
import { overTransport } from '../over-transport.ts'
import { sudoFor } from '../script/sudo.ts'
import { beyondBuiltIn } from './choose.ts'
import { dial } from './dial.ts'
import { forward, throughJump } from './jump-host.ts'
import { openSession, type Session } from './session.ts'
import { type Shared, sharedOf } from './shared.ts'
import { type Target, targetOf } from './target.ts'
import { FileError } from './text-file.ts'
import { sshTransport } from './transport.ts'

/**
 * A connection over SSH, by way of jump hosts where there are any: by the built-in SSH, or by OpenSSH where a setting, key or host key needs it.
 * Throws LinkError, and the signal's reason.
 */
export const openSsh = async (host: Host, options: ConnectOptions): Promise<Login> => {
  try {
    const shared = sharedOf(options)
    const target = targetOf(host, await shared.surroundings(host.link.options.configfile))
    requireKeys(target, shared)
    const why = await beyondBuiltIn(host, target, shared)
    if (why.length > 0) return await openOpenSsh(host, target, { shared, why })
    const session = await reach(target, shared)
    return overTransport(host, sshTransport(host.name, session), {
      sudo: sudoFor(host.link, target.user),
      idle: options.idle,
    })
  } catch (error) {
    throw error instanceof FileError ? new LinkError(host.name, error.message, { cause: error }) : error
  }
}

const reach = async (target: Target, shared: Shared): Promise<Session> => {
  const { via } = target
  if (!via) return openSession(await dial(target, shared.flags.signal), target, shared)
  return throughJump({ target, via, jumps: shared.jumps, open: () => reach(via, shared) }, async (jump) =>
    openSession(await forward(jump, { target, via }), target, shared),
  )
}

/** A key that was named for this run must be there, even where another way in would do. */
const requireKeys = ({ host, keys, passphrase }: Target, { keyring }: Shared): void => {
  for (const { path, required } of keys) {
    if (!required) continue
    const key = keyring.key(path, passphrase)
    if ('unread' in key && key.unread) {
      throw new LinkError(host, `the private key ${path} ${key.why}`, {
        hint: 'Check --private-key and `ansible_ssh_private_key_file`.',
      })
    }
  }
}
