/** What OpenSSH's words mean, in Vestal's. Pure. */
import { LinkError } from '../../errors.ts'
import { at, dialFailure, late, loginRefused } from '../ssh/connect-errors.ts'
import { hostKeyError } from '../ssh/host-key.ts'
import { fingerprint, type HostKeyLine, knownName, linesFor } from '../ssh/known-hosts.ts'
import type { Target } from '../ssh/target.ts'
import type { Said } from './said.ts'

/** Why a login has ended that had stood. */
export const endOf = (said: Said): string => {
  const words = said.words().join('\n')
  if (/^Timeout, server .* not responding/m.test(words)) return 'the host no longer answers'
  if (/Connection reset by peer|Broken pipe/.test(words)) return 'the connection was reset'
  if (/closed by remote host|^Connection to .* closed/m.test(words)) return 'the host closed the connection'
  return said.words().at(-1) ?? 'ssh ended'
}

/** Words by which a node:net error would say the same. */
const DIAL: readonly (readonly [RegExp, string])[] = [
  [/Could not resolve hostname/, 'ENOTFOUND'],
  [/^ssh: connect to .*Connection refused/m, 'ECONNREFUSED'],
  [/^ssh: connect to .*(No route to host|Network is unreachable|Host is unreachable)/m, 'EHOSTUNREACH'],
  [/^ssh: connect to .*timed out/m, 'ETIMEDOUT'],
]

interface Known {
  /** What known_hosts says. */
  readonly lines: readonly HostKeyLine[]
  /** What was tried to log in, in words. */
  readonly tried: readonly string[]
  /** Why ssh is used, in words. */
  readonly why: readonly string[]
}

/** The error for a login that failed. */
export const loginFailure = (target: Target, said: Said, { lines, why, tried }: Known): LinkError => {
  const all = said.words()
  const words = all.join('\n')
  const fail = (message: string, hint?: string): LinkError =>
    new LinkError(target.host, message, { hint, cause: new Error(words) })
  const hostKey = hostKeyFailure(target, said, lines)
  if (hostKey) return hostKey
  const [, code] = DIAL.find(([pattern]) => pattern.test(words)) ?? []
  if (code) return dialFailure(target, Object.assign(new Error(all.at(-1) ?? ''), { code }))
  const config = all.find((line) =>
    /Bad configuration option|line \d+:? |command-line line|Bad owner or permissions/.test(line),
  )
  if (config)
    return fail(
      `ssh does not take its configuration for ${target.name}: ${settingIn(config)}`,
      'See ssh_config(5) of the OpenSSH that is installed here, `ssh -V`.',
    )
  if (/during banner exchange|Connection timed out|Operation timed out/.test(words))
    return late(target, 'did not finish the SSH handshake')
  if (/too many authentication failures/i.test(words)) return loginRefused(target, { tried, methods: [], words })
  const [, methods] = /Permission denied \(([^)]*)\)/.exec(words) ?? []
  if (methods !== undefined) {
    const signing = all.findLast((line) => /sign_and_send_pubkey|signing failed|agent refused operation/.test(line))
    if (signing)
      return fail(
        `no key signed in to ${at(target)}: ${signing}`,
        'Is the hardware key plugged in and was it touched, or is the agent locked?',
      )
    return loginRefused(target, { tried, methods: methods.split(','), words })
  }
  const negotiation = all.find((line) => /^Unable to negotiate/.test(line))
  if (negotiation)
    return fail(
      `no SSH handshake with ${at(target)}: ${negotiation.replace(/^Unable to negotiate with .* port \d+: /, '')}`,
      'Compare the algorithms in its sshd_config with those that `ssh -Q` lists.',
    )
  if (
    why.some((one) => one.startsWith('ProxyCommand')) &&
    /UNKNOWN port 65535|kex_exchange_identification/.test(words)
  ) {
    const own = all.filter((line) => !/UNKNOWN port 65535|kex_exchange_identification|^ssh_/.test(line)).at(-1)
    return fail(
      `the ProxyCommand of ${target.name} ended before ${at(target)} answered${own ? `: ${own}` : ''}`,
      'Run it by hand: it must lead its standard input and output to the port of the host.',
    )
  }
  if (/Connection closed|Connection reset|kex_exchange_identification|Broken pipe/.test(words))
    return fail(
      `${at(target)} hung up during the ${said.tried().length > 0 ? 'login' : 'SSH handshake'}`,
      'Is it an SSH server? One with many unfinished logins hangs up too (`MaxStartups`), as fail2ban does.',
    )
  return fail(`no SSH connection to ${at(target)}: ${all.at(-1) ?? 'ssh ended without a word'}`)
}

/** Vestal's own file goes with the login: its line numbers tell nobody anything. */
const settingIn = (line: string): string => line.replace(/^\S*\/vestal-ssh-\w+\/config:? line \d+:? ?/, '')

const hostKeyFailure = (target: Target, said: Said, lines: readonly HostKeyLine[]): LinkError | undefined => {
  const words = said.words().join('\n')
  if (
    !/Host key verification failed|No \S+ host key is known for|HOST IDENTIFICATION HAS CHANGED|REVOKED HOST KEY|revoked/.test(
      words,
    )
  )
    return undefined
  const shown = said.shown()
  const refuse = (verdict: Parameters<typeof hostKeyError>[1]['verdict']): LinkError =>
    hostKeyError(target.host, {
      name: target.knownAs,
      port: target.port,
      key: shown?.key ?? 'a key',
      verdict,
      files: target.knownHosts,
    })
  const [, byFile] = /revoked by file (\S+)/.exec(words) ?? []
  if (byFile !== undefined || /revoked/i.test(words))
    return refuse({ is: 'revoked', where: byFile ?? revokedAt(lines, [shown?.key, shown?.authority]) })
  const [, file, line] = /^Offending (?:\S+ )?key in (.+):(\d+)/m.exec(words) ?? []
  if (/HAS CHANGED/.test(words)) return refuse({ is: 'changed', where: file ? `${file}:${line}` : 'known_hosts' })
  const [, certificate] = /^(?:error: )?Certificate (?:invalid: )?(.*)$/m.exec(words) ?? []
  if (certificate !== undefined) return badCertificate(target, certificate)
  const about = linesFor(lines, knownName(target.knownAs, target.port))
  const other = about.find(({ marker }) => marker === undefined)
  if (other) return refuse({ is: 'changed', where: other.where })
  const authority = about.find(({ marker }) => marker === 'cert-authority')
  return refuse(authority ? { is: 'authority', where: authority.where } : { is: 'unknown' })
}

const badCertificate = (target: Target, why: string): LinkError =>
  new LinkError(target.host, `the host certificate of ${target.knownAs} is refused: ${why}`, {
    hint: 'It must be valid now, and made out to the name that the host is reached by (ssh-keygen -n); `HostKeyAlias` can say another.',
  })

const revokedAt = (lines: readonly HostKeyLine[], shown: readonly (string | undefined)[]): string => {
  const prints = shown.map((one) => one?.split(' ').at(-1))
  const line = lines.find(
    (one) => one.marker === 'revoked' && prints.includes(fingerprint(Buffer.from(one.key, 'base64'))),
  )
  return line?.where ?? 'known_hosts'
}
