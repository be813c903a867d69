import { showMilliseconds } from '../../duration.ts'
import { LinkError } from '../../errors.ts'
import type { Login } from './auth.ts'
import type { Target } from './target.ts'

/** How an error is worded: where it happened, and on the way to whom. */
export const at = ({ address, port, user }: Target): string => `${user}@${address}:${port}`
const said = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** The error for a machine that no stream could be opened to, by node:net's codes. */
export const dialFailure = (target: Target, error: unknown): LinkError => {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  const { host, address, port } = target
  const fail = (why: string, hint?: string): LinkError => new LinkError(host, why, { hint, cause: error })
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return fail(`no address is known for ${address}`, 'Check the name, or set `ansible_host` to an address.')
  }
  if (code === 'ECONNREFUSED')
    return fail(`nothing listens on ${address}:${port}`, 'Is sshd running, and is `ansible_port` right?')
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH')
    return fail(`there is no route to ${address}`, 'Is the machine up, and on a network that this one reaches?')
  if (code === 'ETIMEDOUT') return late(target, 'did not answer')
  return fail(`${address}:${port} cannot be reached: ${said(error)}`)
}

/** The error for a machine that cannot be reached from its jump host, by the server's words and code (RFC 4254, section 5.1). */
export const jumpFailure = (target: Target, via: Target, error: unknown): LinkError => {
  const { host, address, port } = target
  const forbidden = (error as { reason?: unknown }).reason === 1
  return new LinkError(
    host,
    `${address}:${port} cannot be reached through ${at(via)}: ${said(error).replace(/^\(SSH\) Channel open failure: /, '')}`,
    {
      cause: error,
      hint: forbidden
        ? 'The jump host forbids forwarding: allow `AllowTcpForwarding` in its sshd_config for this account.'
        : undefined,
    },
  )
}

export const late = (target: Target, what: string): LinkError =>
  new LinkError(target.host, `${target.address}:${target.port} ${what} within ${showMilliseconds(target.timeoutMs)}`, {
    hint: 'Is the machine up, and does no firewall drop this port? `ansible_timeout` allows more time.',
  })

/** The error for a handshake or login that failed, by ssh2's levels and words (lib/client.js). */
export const handshakeFailure = (target: Target, error: unknown, login: Login): LinkError => {
  const { level } = error as { level?: string }
  const words = said(error)
  const fail = (why: string, hint?: string): LinkError => new LinkError(target.host, why, { hint, cause: error })
  if (level === 'client-authentication' || /too many authentication failures/i.test(words))
    return refusedLogin(target, login, words)
  if (level === 'client-timeout')
    return late(target, login.tried.length > 0 ? 'did not finish the login' : 'did not finish the SSH handshake')
  if (level === 'agent')
    return fail(
      `the ssh-agent did not sign in to ${at(target)}: ${words}`,
      'Does it wait for a confirmation, or is it locked?',
    )
  if (level === 'handshake')
    return fail(
      `no SSH handshake with ${at(target)}: ${words}`,
      'Compare the algorithms in its sshd_config with those that `ssh -Q` lists; with `ansible_ssh_executable: ssh` OpenSSH offers all of its own.',
    )
  if (/before handshake|ECONNRESET|No response from server|EPIPE/.test(words)) {
    return fail(
      login.tried.length > 0
        ? `${at(target)} hung up during the login`
        : `${at(target)} hung up during the SSH handshake`,
      'Is it an SSH server? One with many unfinished logins hangs up too (`MaxStartups`), as fail2ban does.',
    )
  }
  return fail(`no SSH connection to ${at(target)}: ${words}`)
}

const refusedLogin = (target: Target, { tried, accepted }: Login, words: string): LinkError =>
  loginRefused(target, { tried, methods: accepted(), words })

interface Refused {
  readonly tried: readonly string[]
  /** What the host would still take. */
  readonly methods: readonly string[]
  readonly words: string
}

/** The error for a host that lets nobody in by what was tried. */
export const loginRefused = (target: Target, { tried, methods, words }: Refused): LinkError => {
  const what = tried.length > 0 ? `tried ${tried.join(', ')}` : 'there is no key, agent or password to try'
  const takes = methods.length > 0 ? `; it takes ${methods.join(', ')}` : ''
  return new LinkError(target.host, `${at(target)} refused the login: ${what}${takes}`, {
    hint: loginHint(target, { tried, methods, words }),
  })
}

const loginHint = (target: Target, { tried, methods, words }: Refused): string => {
  if (/too many/i.test(words))
    return 'It allows no more tries: name the right key with `--private-key`, or set `IdentitiesOnly yes`.'
  if (tried.some((one) => one.includes('no passphrase')))
    return 'Give `ansible_ssh_private_key_passphrase`, or load the key into ssh-agent.'
  if (methods.length > 0 && !methods.includes('publickey') && !target.password)
    return 'It takes no keys: give `ansible_password`.'
  return 'Is this the right user, and is the public key in its authorized_keys?'
}
