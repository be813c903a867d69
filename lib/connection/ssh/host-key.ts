import type { ServerHostKeyAlgorithm } from 'ssh2'
import { LinkError } from '../../errors.ts'
import type { HostKeys } from './host-keys.ts'
import {
  algorithmsFor,
  fingerprint,
  judge,
  keyType,
  knownName,
  linesFor,
  type Shown,
  type Verdict,
} from './known-hosts.ts'
import { remember } from './known-hosts-file.ts'
import type { Target } from './target.ts'

/** Says whether the machine at the other end is the one that is meant. */
export interface Guard {
  /** What to ask the host to prove itself with, best first. */
  readonly algorithms: readonly ServerHostKeyAlgorithm[]
  check(key: Buffer): boolean
  /** The error for a key that `check` turned down. */
  refusal(): LinkError | undefined
  /** Keeps a new key that `check` let pass; to be called when the host has proven that the key is its own. Throws LinkError. */
  remember(): Promise<void>
}

/** All that ssh2 has, save ssh-rsa and ssh-dss, whose signatures rest on SHA-1 (RFC 8332, section 1). */
const algorithms: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
]

/** Throws FileError when known_hosts cannot be read. */
export const guard = (
  { host, knownAs: name, port, knownHosts: files, acceptNew }: Target,
  hostKeys: HostKeys,
): Guard => {
  const lines = hostKeys.lines(files)
  let shown: Shown | undefined
  let verdict: Verdict = { is: 'unknown' }
  const isNew = (): boolean => acceptNew && verdict.is === 'unknown'
  return {
    algorithms: algorithmsFor(linesFor(lines, knownName(name, port)), algorithms),
    check(key) {
      // A later exchange of session keys must come from the same machine.
      if (shown) return shown.key.equals(key)
      shown = { name, port, key: Buffer.from(key) }
      verdict = judge(lines, shown)
      return verdict.is === 'known' || isNew()
    },
    refusal: () =>
      shown && verdict.is !== 'known' && !isNew()
        ? hostKeyError(host, { ...inWords(shown), verdict, files })
        : undefined,
    async remember() {
      if (shown && isNew()) await keepShown(host, { shown, files, hostKeys })
    },
  }
}

interface Keeping {
  readonly shown: Shown
  readonly files: readonly string[]
  readonly hostKeys: HostKeys
}

const keepShown = async (host: string, { shown, files, hostKeys }: Keeping): Promise<void> => {
  const verdict = await remember(files, shown).catch((error: Error) => {
    throw new LinkError(host, `its host key cannot be kept in ${files[0]}: ${error.message}`, { cause: error })
  })
  hostKeys.changed()
  if (verdict.is !== 'known') throw hostKeyError(host, { ...inWords(shown), verdict, files })
}

/** Whether a target is known at all, by keys or through an authority: then no other key is new. Throws FileError when known_hosts cannot be read. */
export const isKnown = ({ knownHosts, knownAs, port }: Target, hostKeys: HostKeys): boolean =>
  linesFor(hostKeys.lines(knownHosts), knownName(knownAs, port)).some(({ marker }) => marker !== 'revoked')

/** Keeps a new key of a target that has proven it. Throws LinkError. */
export const keepKey =
  ({ host, knownAs: name, port, knownHosts: files }: Target, hostKeys: HostKeys) =>
  (key: Buffer): Promise<void> =>
    keepShown(host, { shown: { name, port, key }, files, hostKeys })

const inWords = ({ name, port, key }: Shown): Pick<Refused, 'name' | 'port' | 'key'> => ({
  name,
  port,
  key: `${keyType(key)} ${fingerprint(key)}`,
})

interface Refused {
  /** The name that known_hosts has for the host. */
  readonly name: string
  readonly port: number
  /** What it showed: type and fingerprint. */
  readonly key: string
  readonly verdict: Verdict
  /** The files that were asked. */
  readonly files: readonly string[]
}

/** The error for a host whose key is not the one it should have, or that nobody has vouched for yet. */
export const hostKeyError = (host: string, { name, port, key, verdict, files }: Refused): LinkError => {
  const at = port === 22 ? name : `${name} port ${port}`
  const scan = `ssh-keyscan ${port === 22 ? '' : `-p ${port} `}${name} >>${files[0]}`
  if (verdict.is === 'changed') {
    return new LinkError(
      host,
      `the host key of ${at} has changed: it shows ${key}, and ${verdict.where} says otherwise`,
      {
        hint: `Someone may be listening in, or the machine was made anew. If you know that it was, remove ${verdict.where}.`,
      },
    )
  }
  if (verdict.is === 'revoked') {
    return new LinkError(host, `the host key of ${at} is revoked: ${key}, by ${verdict.where}`, {
      hint: 'Give the machine new host keys; do not log in before that.',
    })
  }
  if (verdict.is === 'authority') {
    return new LinkError(
      host,
      `${at} shows ${key}, which no certificate of the authority that vouches for it (${verdict.where}) covers`,
      {
        hint: `Have that key signed by the authority and named as HostCertificate in its sshd_config; or, after comparing the fingerprint, add the key itself: ${scan}`,
      },
    )
  }
  return new LinkError(host, `the host key of ${at} is not known: ${key} stands in none of ${files.join(', ')}`, {
    hint: `Compare the fingerprint, then use --accept-new-host-keys, or: ${scan}`,
  })
}
