import type { AnyAuthMethod, ParsedKey } from 'ssh2'
import type { Keyring } from './keyring.ts'
import { fingerprint } from './known-hosts.ts'
import type { Target } from './target.ts'

/** A way to log in. */
export interface AuthMethod {
  readonly method: 'publickey' | 'password' | 'keyboard-interactive'
  /** Says what is offered, if anything is, and how to name it in an error. */
  open(): Promise<{ readonly offer?: AnyAuthMethod; readonly words?: string }>
}

/** Keys that ssh tries of its own accord, as far as ssh2 can use them. */
const usualKeys = ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => `~/.ssh/${name}`)

/**
 * The ways to log in to a target: the named keys, the password, the agent's keys, and the operator's usual keys if none
 * was named. Named ones come first because most hosts hang up after six tries. No key is offered twice.
 */
export const authMethodsFor = (target: Target, keyring: Keyring): readonly AuthMethod[] => {
  const offered = new Set<string>()
  const isNew = (key: ParsedKey): boolean => {
    const before = offered.size
    return offered.add(fingerprint(key.getPublicSSH())).size > before
  }
  const files = (paths: readonly string[]): readonly AuthMethod[] =>
    paths.map((path) => keyMethod(path, { target, keyring, isNew }))
  return [
    ...files(target.keys.map(({ path }) => path)),
    ...(target.password
      ? [passwordMethod(target, target.password.reveal()), promptMethod(target, target.password.reveal())]
      : []),
    ...(target.agent ? [agentMethod(target.agent, { target, keyring, isNew })] : []),
    ...(target.keys.length === 0 ? files(usualKeys) : []),
  ]
}

interface MethodContext {
  readonly target: Target
  readonly keyring: Keyring
  /** True the first time that it is asked about a key. */
  isNew(key: ParsedKey): boolean
}

const keyMethod = (path: string, { target, keyring, isNew }: MethodContext): AuthMethod => ({
  method: 'publickey',
  async open() {
    const found = keyring.key(path, target.passphrase)
    if ('why' in found) return path.startsWith('~') && found.unread ? {} : { words: `key ${path} (${found.why})` }
    if (!isNew(found.key)) return {}
    const words = `key ${path} (${fingerprint(found.key.getPublicSSH())})`
    return { words, offer: { type: 'publickey', username: target.user, key: found.key } }
  },
})

const agentMethod = (socket: string, { target, keyring, isNew }: MethodContext): AuthMethod => ({
  method: 'publickey',
  async open() {
    const agent = await keyring.agent(socket)
    if ('why' in agent) return { words: `ssh-agent (${agent.why})` }
    const named = target.keys.map(({ path }) => keyring.publicKey(path))
    const mine = (key: ParsedKey): boolean => named.some((one) => one?.equals(key.getPublicSSH()))
    const keys = agent.keys.filter((key) => (!target.onlyTheseKeys || mine(key)) && isNew(key))
    const words = `ssh-agent (${keys.length} ${keys.length === 1 ? 'key' : 'keys'})`
    return keys.length === 0
      ? { words }
      : { words, offer: { type: 'agent', username: target.user, agent: agent.holding(keys) } }
  },
})

const passwordMethod = ({ user }: Target, password: string): AuthMethod => ({
  method: 'password',
  open: async () => ({ words: 'password', offer: { type: 'password', username: user, password } }),
})

/** The password in answer to the first question that is not echoed. Nothing is said to any other, such as one for a one-time code. */
const promptMethod = ({ user }: Target, password: string): AuthMethod => ({
  method: 'keyboard-interactive',
  async open() {
    let said = false
    const words = 'password (keyboard-interactive)'
    return {
      words,
      offer: {
        type: 'keyboard-interactive',
        username: user,
        prompt(_name, _instructions, _language, prompts, answer) {
          answer(
            prompts.map(({ echo }) => {
              if (echo || said) return ''
              said = true
              return password
            }),
          )
        },
      },
    }
  },
})
