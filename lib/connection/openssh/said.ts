/** What OpenSSH says on standard error, at its log level DEBUG1. Words of OpenSSH 8.4 to 10 (sshconnect.c, sshconnect2.c, channels.c, clientloop.c). */

export interface Said {
  /** Lines that are meant for people, the last of them. */
  words(): readonly string[]
  /** What was tried to log in, in words. */
  tried(): readonly string[]
  /** The host key that was shown: type and fingerprint, of a certificate its own and its authority's. */
  shown(): { readonly key: string; readonly authority?: string } | undefined
  /** Takes a line in. */
  hear(line: string): void
  /** Why a port that was to be reached was not; waits a moment for ssh to say it. '' where it doesn't. */
  whyNot(address: string, port: number): Promise<string>
}

const MOST_LINES = 40
const MOST_LETTERS = 500
const waitMs = 1_000

/** Calls `onStage` when a connection is being made, stands, or waits for somebody to touch a key. */
export const hearing = (onStage: (stage: 'connecting' | 'connected' | 'touch') => void): Said => {
  const words: string[] = []
  const tried: string[] = []
  let agentKeys = 0
  let shown: ReturnType<Said['shown']>
  const opening = new Map<string, string>()
  const failures = new Map<string, string[]>()
  const waiting = new Map<string, ((why: string) => void)[]>()
  let lastFailure = ''
  const failed = (place: string, why: string): void => {
    const waiter = waiting.get(place)?.shift()
    if (waiter) waiter(why)
    else failures.set(place, [...(failures.get(place) ?? []), why].slice(-MOST_LINES))
  }
  const debug = (line: string): void => {
    if (/^Connecting to /.test(line)) onStage('connecting')
    if (/^(Connection established|Executing proxy command)/.test(line)) onStage('connected')
    if (/^Server accepts key: .*-SK /.test(line)) onStage('touch')
    const [, path = '', type = '', print = '', from = ''] =
      /^Offering public key: (.*) (\S+) (SHA256:\S+)(.*)$/.exec(line) ?? []
    if (print && / agent\b/.test(from)) agentKeys += 1
    else if (print) tried.push(`${type.endsWith('-CERT') ? 'the certificate of ' : ''}key ${path} (${print})`)
    const [, method] = /^Next authentication method: (password|keyboard-interactive)/.exec(line) ?? []
    if (method) tried.push(method === 'password' ? 'password' : 'password (keyboard-interactive)')
    const [, key] = /^Server host key: (\S+ SHA256:\S+)/.exec(line) ?? []
    if (key) shown = { key }
    const [, certified, authority] =
      /^Server host certificate: (\S+ SHA256:\S+?),.* CA (\S+ SHA256:\S+)/.exec(line) ?? []
    if (certified) shown = { key: certified, authority }
    const [, freed = '', address, port] =
      /^channel (\d+): free: direct-tcpip: .* for (\S+) port (\d+), connect/.exec(line) ?? []
    const why = opening.get(freed)
    if (why === undefined) return
    opening.delete(freed)
    failed(`${address} ${port}`, why)
  }
  return {
    words: () => words,
    tried: () => (agentKeys > 0 ? [...tried, `ssh-agent (${agentKeys} ${agentKeys === 1 ? 'key' : 'keys'})`] : tried),
    shown: () => shown,
    hear(line) {
      const [, level, rest = ''] = /^(debug[123]): (.*)$/.exec(line) ?? []
      if (level) return debug(rest)
      const [, channel, why = ''] = /^channel (\d+): open failed: (.*)$/.exec(line) ?? []
      if (channel) {
        lastFailure = why
        opening.set(channel, why)
        return
      }
      const plain = line
        .replaceAll(/[^\x20-\x7e\u00a0-\uffff]/g, ' ')
        .trim()
        .slice(0, MOST_LETTERS)
      if (plain === '' || /^OpenSSH_|^@+$/.test(plain)) return
      words.push(plain)
      if (words.length > MOST_LINES) words.shift()
    },
    whyNot(address, port) {
      const place = `${address} ${port}`
      const known = failures.get(place)?.shift()
      if (known !== undefined) return Promise.resolve(known)
      return new Promise((resolve) => {
        const late = setTimeout(() => {
          waiting.set(
            place,
            (waiting.get(place) ?? []).filter((one) => one !== answer),
          )
          resolve(lastFailure)
        }, waitMs)
        const answer = (why: string): void => {
          clearTimeout(late)
          resolve(why)
        }
        waiting.set(place, [...(waiting.get(place) ?? []), answer])
      })
    },
  }
}
