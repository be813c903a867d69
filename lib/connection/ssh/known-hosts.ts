/** known_hosts as sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT", describes it. Pure. */
import { createHash, createHmac } from 'node:crypto'

export interface HostKeyLine {
  /** `file:line`. */
  readonly where: string
  readonly marker?: 'revoked' | 'cert-authority'
  /** The patterns or the hashed name, as they stand. */
  readonly names: string
  readonly type: string
  readonly key: string
}
/** What a host showed, and under which name it was asked for. */
export interface Shown {
  readonly name: string
  readonly port: number
  /** The public key in SSH's wire format. */
  readonly key: Buffer
}
export type Verdict =
  | { readonly is: 'known' | 'unknown' }
  | { readonly is: 'changed' | 'revoked' | 'authority'; readonly where: string }

/** The lines of a known_hosts file that hold a key; others are passed over, as ssh does. */
export const parseKnownHosts = (text: string, file: string): readonly HostKeyLine[] =>
  text.split('\n').flatMap((line, index) => {
    const fields = line.trim().split(/\s+/)
    const marker = /^@(revoked|cert-authority)$/.exec(fields[0] ?? '')?.[1] as HostKeyLine['marker']
    const [names, type, key] = marker ? fields.slice(1) : fields
    if (!names || !type || !key || names.startsWith('#') || names.startsWith('@')) return []
    return [{ where: `${file}:${index + 1}`, marker, names, type, key }]
  })

/** The name that known_hosts has for a port of a host: `host`, or `[host]:port` where the port is not 22. */
export const knownName = (name: string, port: number): string =>
  port === 22 ? name.toLowerCase() : `[${name.toLowerCase()}]:${port}`

/** The lines that speak of a host. */
export const linesFor = (lines: readonly HostKeyLine[], name: string): readonly HostKeyLine[] =>
  lines.filter((line) => (line.names.startsWith('|') ? isHashOf(line.names, name) : matches(line.names, name)))

/**
 * Whether the key that a host shows is the one it is known by. A host that is known by keys of other types only counts as
 * changed: it was asked for the known ones first. Like ssh, a key that is known for the name without a port will do.
 */
export const judge = (lines: readonly HostKeyLine[], { name, port, key }: Shown): Verdict => {
  const shown = key.toString('base64')
  const about = linesFor(lines, knownName(name, port))
  const aboutName = port === 22 ? about : [...about, ...linesFor(lines, knownName(name, 22))]
  const revoked = aboutName.find((line) => line.marker === 'revoked' && line.key === shown)
  if (revoked) return { is: 'revoked', where: revoked.where }
  if (aboutName.some((line) => !line.marker && line.key === shown)) return { is: 'known' }
  const other = preferSameType(
    about.filter((line) => !line.marker),
    key,
  )
  if (other) return { is: 'changed', where: other.where }
  const authority = about.find((line) => line.marker === 'cert-authority')
  return authority ? { is: 'authority', where: authority.where } : { is: 'unknown' }
}

/** The algorithms to ask a host for: those that the keys it is known by can sign with, then the rest of `all`. An ssh-rsa key signs with rsa-sha2 (RFC 8332). */
export const algorithmsFor = <A extends string>(lines: readonly HostKeyLine[], all: readonly A[]): readonly A[] => {
  const types = lines.filter((line) => !line.marker).map(({ type }) => type)
  const known = all.filter((algorithm) => types.includes(algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm))
  return [...new Set([...known, ...all])]
}

/** The fingerprint as ssh-keygen prints it. */
export const fingerprint = (key: Buffer): string =>
  `SHA256:${createHash('sha256').update(key).digest('base64').replaceAll('=', '')}`

/** The type that stands at the start of every public key (RFC 4253, section 6.6): `ssh-ed25519`. */
export const keyType = (key: Buffer): string => key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1')

const preferSameType = (lines: readonly HostKeyLine[], key: Buffer): HostKeyLine | undefined =>
  lines.find(({ type }) => type === keyType(key)) ?? lines[0]

const isHashOf = (hashed: string, name: string): boolean => {
  const [, version, salt, hash] = hashed.split('|')
  if (version !== '1' || !salt || !hash) return false
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash
}

/** A negated pattern that matches shuts the whole line out, wherever in it it stands. */
const matches = (patterns: string, name: string): boolean => {
  const all = patterns.toLowerCase().split(',')
  if (all.some((pattern) => pattern.startsWith('!') && wildcard(pattern.slice(1), name))) return false
  return all.some((pattern) => wildcard(pattern, name))
}

const wildcard = (pattern: string, name: string): boolean => {
  if (!/[*?]/.test(pattern)) return pattern === name
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`, 's').test(name)
}
