import { HostError } from '../errors.ts'

interface Failed {
  readonly address: string
  readonly port: number
  /** As node:net or an SSH server words it. */
  readonly error: unknown
}

/** The error for a port of the host that the host itself cannot reach. */
export const portFailure = (host: string, { address, port, error }: Failed): HostError => {
  const words = error instanceof Error ? error.message : String(error)
  const at = `${address}:${port}`
  if (/refused/i.test(words)) {
    return new HostError(host, `nothing listens on ${at}`, {
      cause: error,
      hint: 'Is the service running, and on this port?',
    })
  }
  return new HostError(host, `${at} cannot be reached from the host: ${words}`, { cause: error })
}

/** The error for a port of the host's loopback on which something listens already. */
export const portTaken = (host: string, port: number, cause: unknown): HostError =>
  new HostError(host, `127.0.0.1:${port} is taken on the host`, {
    cause,
    hint: 'Another run of Vestal may be using it, or a link that broke a moment ago still holds it; or choose another port.',
  })

/** The error for a host that lets nobody listen on that port by way of SSH. */
export const notAllowed = (host: string, port: number, cause: unknown): HostError =>
  new HostError(host, `the host does not let SSH listen on 127.0.0.1:${port}`, {
    cause,
    hint: 'Set `AllowTcpForwarding yes` in its sshd_config for this account, and let `PermitListen` be `any`.',
  })
