import { existsSync, readFileSync } from 'node:fs'
import ssh2, { type ParsedKey } from 'ssh2'
import type { Secret } from '../../secret.ts'
import { heldBy, isCertificate } from './agent-list.ts'
import { homePath } from './paths.ts'

/** A private key that is ready to sign, or why it is not; `unread` when the file itself could not be had. */
export type Key = { readonly key: ParsedKey } | { readonly why: string; readonly unread: boolean }
type Agent = ssh2.BaseAgent
export interface OpenAgent {
  readonly keys: readonly ParsedKey[]
  /** The same agent, as one that has only some of its keys. */
  holding(keys: readonly ParsedKey[]): Agent
}
export type AgentKeys = OpenAgent | { readonly why: string }

/** The operator's keys. Each file is read and decrypted once, each agent asked once, however many hosts there are. */
export interface Keyring {
  key(path: string, passphrase?: Secret): Key
  /** The public half of a key, from beside it or from the file itself, in SSH's wire format. Needs no passphrase. */
  publicKey(path: string): Buffer | undefined
  /** What of a key only OpenSSH can use, in words: its certificate, or that it belongs to a piece of hardware. */
  beyond(path: string): string | undefined
  /** The public keys that an agent holds, of all types; none where it doesn't answer. */
  held(socket: string): Promise<readonly Buffer[]>
  agent(socket: string): Promise<AgentKeys>
}

export const keyring = (): Keyring => {
  const keys = new Map<string, Key>()
  const agents = new Map<string, Promise<AgentKeys>>()
  const beyond = new Map<string, { readonly words?: string }>()
  const held = new Map<string, Promise<readonly Buffer[]>>()
  return {
    key: (path, passphrase) => once(keys, `${path}\0${passphrase?.reveal() ?? ''}`, () => readKey(path, passphrase)),
    publicKey: readPublicKey,
    beyond: (path) => once(beyond, path, () => ({ words: beyondOf(homePath(path)) })).words,
    held: (socket) => once(held, socket, () => heldBy(socket)),
    agent: (socket) => once(agents, socket, () => askAgent(socket)),
  }
}

const once = <T>(known: Map<string, T>, name: string, make: () => T): T => {
  const found = known.get(name) ?? make()
  known.set(name, found)
  return found
}

const readKey = (path: string, passphrase?: Secret): Key => {
  try {
    const key = ssh2.utils.parseKey(readFileSync(homePath(path)), passphrase?.reveal())
    if (key instanceof Error) return { unread: false, why: unusable(key.message) }
    return key.isPrivateKey() ? { key } : { unread: false, why: 'holds no private key' }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return { unread: true, why: code === 'ENOENT' ? 'is not there' : `cannot be read: ${message}` }
  }
}

const readPublicKey = (path: string): Buffer | undefined => {
  for (const file of [`${homePath(path)}.pub`, homePath(path)]) {
    const key = existsSync(file) && ssh2.utils.parseKey(readFileSync(file))
    if (key && !(key instanceof Error)) return key.getPublicSSH()
  }
  return undefined
}

const beyondOf = (path: string): string | undefined => {
  // Source: ssh_config(5), CertificateFile.
  if (existsSync(`${path}-cert.pub`)) return `the certificate ${path}-cert.pub`
  if (!existsSync(path)) return undefined
  const type = [`${path}.pub`, path].map(publicType).find((one) => one !== undefined)
  if (type && isCertificate(type)) return `the certificate ${path}`
  return type?.startsWith('sk-') ? `the hardware key ${path}` : undefined
}

/** The type of a public key's file, or of a private one in OpenSSH's own format (PROTOCOL.key), whose public half is not encrypted. */
const publicType = (file: string): string | undefined => {
  try {
    const text = readFileSync(file, 'latin1')
    const [, body] = /^-----BEGIN OPENSSH PRIVATE KEY-----\s([\s\S]*?)-----END/.exec(text) ?? []
    if (body === undefined) return /^([a-z][\w@.-]+) AAAA/.exec(text)?.[1]
    return /sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com/.exec(
      Buffer.from(body, 'base64').toString('latin1'),
    )?.[0]
  } catch {
    return undefined
  }
}

/** ssh2 (lib/protocol/keyParser.js) has words only, no codes. */
const unusable = (message: string): string => {
  if (/no passphrase given/.test(message)) return 'is encrypted, and no passphrase is given'
  if (/bad passphrase|integrity check failed|bad decrypt/i.test(message))
    return 'is encrypted with another passphrase than the one given'
  return `cannot be used: ${message}`
}

const askAgent = (socket: string): Promise<AgentKeys> =>
  new Promise((resolve) => {
    const agent = ssh2.createAgent(socket)
    agent.getIdentities((error, found = []) => {
      if (error) return resolve({ why: `does not answer at ${socket}` })
      const keys = found.flatMap((one) => usable(one as ParsedKey))
      resolve({ keys, holding: (some) => holding(agent, some) })
    })
  })

/** An agent may hold keys of types that ssh2 does not know. */
const usable = (one: ParsedKey): readonly ParsedKey[] => {
  const key = ssh2.utils.parseKey(one)
  return key instanceof Error ? [] : [key]
}

/** The agent as one that has only these keys: ssh2 offers all that an agent lists, and fails the login when it cannot list any. */
const holding = (agent: Agent, keys: readonly ParsedKey[]): Agent => {
  const some = Object.create(agent) as Agent
  some.getIdentities = (answer) => answer(null, [...keys])
  return some
}
