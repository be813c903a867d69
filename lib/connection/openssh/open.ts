import { LinkError } from '../../errors.ts'
import type { Host } from '../../model.ts'
import type { Login } from '../options.ts'
import { overTransport } from '../over-transport.ts'
import { sudoFor } from '../script/sudo.ts'
import { jumpFailure } from '../ssh/connect-errors.ts'
import { isKnown, keepKey } from '../ssh/host-key.ts'
import { throughJump } from '../ssh/jump-host.ts'
import type { Keyring } from '../ssh/keyring.ts'
import { homePath } from '../ssh/paths.ts'
import type { Shared } from '../ssh/shared.ts'
import type { Target } from '../ssh/target.ts'
import { type Master, startMaster } from './master.ts'
import type { Said } from './said.ts'
import { openSshTransport } from './transport.ts'
import { loginFailure } from './words.ts'

interface Manner {
  readonly shared: Shared
  /** Why it is OpenSSH that is to do it, in words. */
  readonly why: readonly string[]
}

/** A connection by OpenSSH, by way of jump hosts where there are any. Throws LinkError, and the signal's reason. */
export const openOpenSsh = async (host: Host, target: Target, manner: Manner): Promise<Login> => {
  const master = await reach(host, target, manner)
  return overTransport(host, openSshTransport(host.name, master), {
    sudo: sudoFor(host.link, target.user),
    idle: manner.shared.flags.idle,
  })
}

const reach = (host: Host, target: Target, manner: Manner): Promise<Master> => {
  const { via } = target
  if (!via) return login(host, target, manner)
  const { masters } = manner.shared
  return throughJump({ target, via, jumps: masters, open: () => reach(host, via, manner) }, (through) =>
    login(host, target, { ...manner, through }),
  )
}

const login = async (
  host: Host,
  target: Target,
  { shared, why, through }: Manner & { readonly through?: Master },
): Promise<Master> => {
  const { program = 'ssh', options } = host.link
  const { hostKeys, keyring, flags } = shared
  const refusal = async (said: Said): Promise<LinkError> => {
    if (through && /stdio forwarding (?:request )?failed/i.test(said.words().join('\n')))
      return notThrough(target, through)
    const lines = hostKeys.lines(target.knownHosts)
    const failure = loginFailure(target, said, { lines, why, tried: await triedBy(target, { said, keyring }) })
    return new LinkError(failure.host, masked(failure.message, target), { hint: failure.hint, cause: failure.cause })
  }
  return startMaster(target, {
    program,
    why,
    through,
    configFile: options.configfile ?? flags.configFile,
    signal: flags.signal,
    refusal,
    onNewKey: target.acceptNew && !isKnown(target, hostKeys) ? keepKey(target, hostKeys) : undefined,
  })
}

const notThrough = async (target: Target, through: Master): Promise<LinkError> => {
  const words = await through.said.whyNot(target.address, target.port)
  const reason = /administratively prohibited/.test(words) ? 1 : undefined
  const error = Object.assign(new Error(words.replace(/^connect failed: /, '')), { reason })
  return jumpFailure(target, through.target, error)
}

/** What was tried to log in, in words, and what could not be. */
const triedBy = async (
  { keys, passphrase, agent }: Target,
  { said, keyring }: { readonly said: Said; readonly keyring: Keyring },
): Promise<readonly string[]> => {
  const offered = said.tried()
  const unusable = keys.flatMap(({ path }) => {
    const key = keyring.key(path, passphrase)
    const known = offered.some((one) => isOf(one, path))
    // One that ssh offers by its public half may be locked all the same.
    return 'why' in key && (!known || /encrypted/.test(key.why)) ? [{ path, words: `key ${path} (${key.why})` }] : []
  })
  const tried = [
    ...unusable.map(({ words }) => words),
    ...offered.filter((one) => !unusable.some(({ path }) => isOf(one, path))),
  ]
  const silent = agent === undefined ? undefined : await keyring.agent(agent)
  if (silent === undefined || tried.some((one) => one.startsWith('ssh-agent'))) return tried
  return [...tried, `ssh-agent (${'why' in silent ? silent.why : '0 keys'})`]
}

const isOf = (words: string, path: string): boolean => words.startsWith(`key ${homePath(path)} `)

/** What a command of the operator's says may repeat its own words, of which some may be a password. */
const masked = (message: string, { proxyCommand }: Target): string =>
  (proxyCommand ?? '')
    .split(/[\s'"=]+/)
    .flatMap((word) => [word, ...word.split(/[:@]/)])
    .filter((word) => word.length >= 4 && !/^[-%/]|%[a-z]/.test(word) && !/^(?:exec|connect|proxy|ssh)$/i.test(word))
    .reduce((text, word) => text.replaceAll(word, '[…]'), message)
