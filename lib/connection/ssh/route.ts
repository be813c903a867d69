import { LinkError } from '../../errors.ts'
import type { Settings } from './config.ts'
import { jumpOf } from './proxy-command.ts'
import { type Jump, parseJumps } from './proxy-jump.ts'

interface Way {
  readonly host: string
  readonly config: Settings
}

/** A machine on the way, as it is asked for. */
export interface Hop extends Jump {
  /** From the inventory; by their names in ssh_config(5), lower-cased. */
  readonly options: Readonly<Record<string, string>>
  /** The machines to pass before this one; undefined: ssh's configuration decides. */
  readonly before?: readonly Jump[]
  /** The machines that are reached by way of this one. */
  readonly passed: readonly string[]
}

/** Of the options given for a host, those that hold for the machines on the way too. */
const inherited = [
  'userknownhostsfile',
  'globalknownhostsfile',
  'stricthostkeychecking',
  'connecttimeout',
  'identityagent',
  'serveraliveinterval',
  'serveralivecountmax',
]

/**
 * Returns the machine to go through in order to reach `hop`, or undefined where there is none, as with a ProxyCommand that stands for no jump host. Throws
 * LinkError for a ProxyJump that cannot be read, and for machines that each want to be reached through the other.
 */
export const nextHop = (hop: Hop, { host, config }: Way): Hop | undefined => {
  const jumps = hop.before ?? jumpsOf(hop, { host, config })
  const last = jumps.at(-1)
  // As in ssh: `Host *` may name a jump host that it matches itself.
  if (!last || isSame(last, hop)) return undefined
  const passed = [...hop.passed, nameOf(hop)]
  if (passed.includes(nameOf(last))) {
    throw new LinkError(host, `its jump hosts go round in a circle: ${[...passed, nameOf(last)].join(' through ')}`, {
      hint: 'Set `ProxyJump none` for the first of them.',
    })
  }
  const before = jumps.slice(0, -1)
  const options = Object.fromEntries(Object.entries(hop.options).filter(([name]) => inherited.includes(name)))
  return { ...last, options, passed, before: before.length > 0 ? before : undefined }
}

const jumpsOf = ({ options, name }: Hop, { host, config }: Way): readonly Jump[] => {
  for (const source of [options, config]) {
    const { proxyjump, proxycommand } = source
    if (proxyjump !== undefined) {
      const jumps = parseJumps(String(proxyjump))
      if (jumps) return jumps
      throw new LinkError(host, `the ProxyJump of ${name} cannot be read: ${proxyjump}`, {
        hint: 'Write it as [user@]host[:port], several with commas between.',
      })
    }
    if (proxycommand !== undefined) return parseJumps(jumpOf(wordsOf(proxycommand)) ?? 'none') ?? []
  }
  return []
}

const wordsOf = (value: string | readonly string[]): string => [value].flat().join(' ')
const nameOf = ({ user, name, port }: Jump): string => `${user ? `${user}@` : ''}${name}${port ? `:${port}` : ''}`

const isSame = (jump: Jump, hop: Hop): boolean =>
  jump.name === hop.name &&
  (jump.port === undefined || jump.port === hop.port) &&
  (jump.user === undefined || jump.user === hop.user)
