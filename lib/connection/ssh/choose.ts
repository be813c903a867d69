import { readFileSync } from 'node:fs'
import type { Host } from '../../model.ts'
import { USUAL_KEYS } from '../openssh/settings.ts'
import { isCertificate } from './agent-list.ts'
import type { HostKeys } from './host-keys.ts'
import type { Keyring } from './keyring.ts'
import { type HostKeyLine, keyType, knownName, linesFor } from './known-hosts.ts'
import { homePath } from './paths.ts'
import type { Shared } from './shared.ts'
import type { Target } from './target.ts'

/**
 * Why a host is to be reached by OpenSSH, in words; none where the built-in SSH can do all that is asked of it. One machine on the way that
 * needs it is enough. Throws FileError when known_hosts cannot be read.
 */
export const beyondBuiltIn = async (host: Host, target: Target, shared: Shared): Promise<readonly string[]> => {
  const { program } = host.link
  const named = program === undefined ? [] : [`ansible_ssh_executable ${program}`]
  return [...named, ...(await beyondOf(target, shared))]
}

const beyondOf = async (target: Target, shared: Shared): Promise<readonly string[]> => {
  const { keyring, hostKeys } = shared
  const named = target.keys.map(({ path }) => path)
  const keys = (named.length > 0 ? named : USUAL_KEYS).flatMap((path) => keyring.beyond(path) ?? [])
  const authority = authorityFor(target, hostKeys)
  return [
    ...target.beyond,
    ...keys,
    ...(await inAgent(target, keyring)),
    ...(authority ? [`@cert-authority (${authority.where})`] : []),
    ...(target.via ? await beyondOf(target.via, shared) : []),
  ]
}

/** The line of known_hosts by which an authority vouches for a target. Throws FileError when it cannot be read. */
export const authorityFor = ({ knownHosts, knownAs, port }: Target, hostKeys: HostKeys): HostKeyLine | undefined =>
  linesFor(hostKeys.lines(knownHosts), knownName(knownAs, port)).find(({ marker }) => marker === 'cert-authority')

const inAgent = async ({ agent, onlyTheseKeys, keys }: Target, keyring: Keyring): Promise<readonly string[]> => {
  if (agent === undefined) return []
  const mine = new Set(onlyTheseKeys ? keys.flatMap(({ path }) => publicHalves(homePath(path))) : [])
  const counts = (key: Buffer): boolean => !onlyTheseKeys || mine.has(key.toString('base64'))
  const types = (await keyring.held(agent)).filter(counts).map(keyType)
  const found = types.find((type) => isCertificate(type) || type.startsWith('sk-'))
  return found === undefined ? [] : [`the agent's key of type ${found}`]
}

/** In base64, as their files have them. */
const publicHalves = (path: string): readonly string[] =>
  [path, `${path}.pub`, `${path}-cert.pub`].flatMap((file) => {
    try {
      return /^[a-z][\w@.-]+ (AAAA[\w+/=]+)/.exec(readFileSync(file, 'latin1'))?.[1] ?? []
    } catch {
      return []
    }
  })
