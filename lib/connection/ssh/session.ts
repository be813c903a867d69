import type { Duplex } from 'node:stream'
import { NodeSSH } from 'node-ssh'
import type { Algorithms, CipherAlgorithm, Client, KexAlgorithm, MacAlgorithm } from 'ssh2'
import type { ConnectOptions } from '../options.ts'
import { login } from './auth.ts'
import { authMethodsFor } from './auth-methods.ts'
import { handshakeFailure } from './connect-errors.ts'
import { guard } from './host-key.ts'
import type { HostKeys } from './host-keys.ts'
import type { Keyring } from './keyring.ts'
import { type Life, lifeOf } from './liveness.ts'
import type { Target } from './target.ts'

/** A login on a machine. */
export interface Session extends Life {
  readonly client: Client
}

interface LoginMeans {
  readonly keyring: Keyring
  readonly hostKeys: HostKeys
  readonly flags: ConnectOptions
}

/** By ssh2's names for what ssh_config(5) calls otherwise. */
const chosen = ({ algorithms: { ciphers, macs, kexalgorithms } }: Target): Algorithms => ({
  ...(ciphers && { cipher: [...ciphers] as CipherAlgorithm[] }),
  ...(macs && { hmac: [...macs] as MacAlgorithm[] }),
  ...(kexalgorithms && { kex: [...kexalgorithms] as KexAlgorithm[] }),
})

/** Checks the host's key and logs in, over a stream that it takes over. Throws LinkError, and the signal's reason. */
export const openSession = async (
  sock: Duplex,
  target: Target,
  { keyring, hostKeys, flags }: LoginMeans,
): Promise<Session> => {
  const hostKey = guard(target, hostKeys)
  const ways = login(authMethodsFor(target, keyring))
  const ssh = new NodeSSH()
  const abort = (): void => void sock.destroy()
  flags.signal?.addEventListener('abort', abort)
  let life: Life | undefined
  try {
    await ssh.connect({
      sock,
      host: target.address,
      username: target.user,
      algorithms: { serverHostKey: [...hostKey.algorithms], ...chosen(target) },
      hostVerifier(key: Buffer) {
        // From here on, an error that node-ssh no longer listens for must not end the process.
        life ??= lifeOf(ssh.connection, sock)
        return hostKey.check(key)
      },
      authHandler: ways.handler,
      readyTimeout: target.timeoutMs,
      keepaliveInterval: target.keepAlive.everyMs,
      keepaliveCountMax: target.keepAlive.times,
    })
    await hostKey.remember()
    if (!ssh.connection || !life) throw new Error('No response from server')
    return { ...life, client: ssh.connection }
  } catch (error) {
    sock.destroy()
    flags.signal?.throwIfAborted()
    throw hostKey.refusal() ?? handshakeFailure(target, error, ways)
  } finally {
    flags.signal?.removeEventListener('abort', abort)
  }
}
