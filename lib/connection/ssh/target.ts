/** Where to log in, as whom and with what: the inventory's word first, then ssh's own configuration. Pure. */
import { milliseconds } from '../../duration.ts'
import { LinkError } from '../../errors.ts'
import type { Duration, Host } from '../../model.ts'
import type { Secret } from '../../secret.ts'
import type { ConnectOptions } from '../options.ts'
import { ALGORITHM_SETTINGS, type AlgorithmSetting, algorithmsOf } from './algorithms.ts'
import { beyondUs, spelt } from './beyond.ts'
import type { Lookup, Settings } from './config.ts'
import { mistakeIn, secondsOf } from './option-values.ts'
import { homePath, pathWords } from './paths.ts'
import { type Hop, nextHop } from './route.ts'

export interface Target {
  /** The inventory host that it is reached for; errors name it. */
  readonly host: string
  /** As ssh would be called with. */
  readonly name: string
  readonly address: string
  readonly port: number
  readonly user: string
  readonly family?: 4 | 6
  /** The name that known_hosts has for it. */
  readonly knownAs: string
  /** Files of known host keys; new ones go into the first. */
  readonly knownHosts: readonly string[]
  readonly acceptNew: boolean
  readonly keys: readonly KeyFile[]
  /** Only these keys, none that an agent holds besides. */
  readonly onlyTheseKeys: boolean
  /** The agent's socket. */
  readonly agent?: string
  readonly password?: Secret
  readonly passphrase?: Secret
  readonly timeoutMs: number
  /** What may be used of each kind; undefined: the usual. */
  readonly algorithms: Readonly<Partial<Record<AlgorithmSetting, readonly string[]>>>
  readonly keepAlive: { readonly everyMs: number; readonly times: number }
  /** The machine to go through. */
  readonly via?: Target
  /** What the inventory says of it, for OpenSSH, which reads its configuration itself. */
  readonly given: {
    readonly user?: string
    readonly port?: number
    readonly options: Readonly<Record<string, string>>
  }
  /** The command that leads there, where it stands for no jump host. It may hold a password. */
  readonly proxyCommand?: string
  /** The settings that only OpenSSH can honour, with their places. */
  readonly beyond: readonly string[]
}
export interface KeyFile {
  readonly path: string
  /** True when the operator named it for this run or host: then it must be there. */
  readonly required: boolean
}
/** What the answer depends on beside the host. */
export interface Surroundings {
  readonly flags: ConnectOptions
  readonly lookup: Lookup
  readonly home: string
  /** The operator's account on this machine. */
  readonly login: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Returns the target of a host and, through `via`, those of its jump hosts. Throws LinkError for a way that cannot be followed. */
export const targetOf = (host: Host, around: Surroundings): Target => {
  const { address, user, port, options, password, passphrase, connectTimeout, keyFile } = host.link
  const keys = [around.flags.privateKey, keyFile].filter((path) => path !== undefined)
  const hop: Hop = { name: address, user, port, passed: [], options }
  return resolve(
    hop,
    { host: host.name, keys: keys.map((path) => ({ path, required: true })), password, passphrase, connectTimeout },
    around,
  )
}

/** What a host's jump hosts are reached with too, save the password: that is for the host alone. */
interface HopContext {
  readonly host: string
  readonly keys: readonly KeyFile[]
  readonly password?: Secret
  readonly passphrase?: Secret
  readonly connectTimeout: Duration
}

const resolve = (hop: Hop, means: HopContext, around: Surroundings): Target => {
  const config = around.lookup(hop.name)
  requireSense(means.host, hop.name, { config, whereIs: around.lookup.whereIs })
  const setting = (key: string): string | undefined => hop.options[key] ?? first(config[key])
  const address = (setting('hostname') ?? hop.name).replaceAll('%h', hop.name).replace(/^\[(.*)\]$/, '$1')
  const port = Number(hop.port ?? setting('port') ?? 22)
  const user = hop.user ?? setting('user') ?? around.login
  const full = (path: string): string =>
    expand(path, around, {
      '%': '%',
      d: around.home,
      u: around.login,
      n: hop.name,
      h: address,
      p: String(port),
      r: user,
    })
  const named = [...every(hop.options.identityfile), ...every(config.identityfile)].filter((path) => path !== 'none')
  const keys = [...means.keys, ...named.map((path) => ({ path, required: false }))].map((key) => ({
    ...key,
    path: full(key.path),
  }))
  const agent = setting('identityagent') ?? 'SSH_AUTH_SOCK'
  const next = nextHop(hop, { host: means.host, config })
  return {
    host: means.host,
    name: hop.name,
    address,
    port,
    user,
    family: ({ inet: 4, inet6: 6 } as const)[setting('addressfamily') ?? ''],
    knownAs: setting('hostkeyalias') ?? address,
    knownHosts: knownHostsFiles(setting, around.flags).map(full),
    acceptNew:
      around.flags.acceptNewHostKeys || ['no', 'off', 'accept-new'].includes(setting('stricthostkeychecking') ?? ''),
    keys,
    onlyTheseKeys: setting('identitiesonly') === 'yes',
    agent: agent === 'none' ? undefined : agent === 'SSH_AUTH_SOCK' ? around.env.SSH_AUTH_SOCK : full(agent),
    algorithms: Object.fromEntries(
      ALGORITHM_SETTINGS.flatMap((name) => {
        const value = setting(name)
        return value === undefined ? [] : [[name, algorithmsOf(name, value)]]
      }),
    ),
    password: means.password,
    passphrase: means.passphrase,
    timeoutMs: hop.options.connecttimeout
      ? (secondsOf(hop.options.connecttimeout) ?? 0) * 1_000
      : milliseconds(means.connectTimeout),
    keepAlive: {
      everyMs: (secondsOf(setting('serveraliveinterval') ?? '15') ?? 15) * 1_000,
      times: Number(setting('serveralivecountmax') ?? 3),
    },
    proxyCommand: next ? undefined : setting('proxycommand'),
    given: { user: hop.user, port: hop.port, options: hop.options },
    beyond: beyondOf(hop, { config, lookup: around.lookup }),
    via:
      next &&
      resolve(
        next,
        { ...means, password: undefined, keys: means.keys.map((key) => ({ ...key, required: false })) },
        around,
      ),
  }
}

/** What the inventory says counts in place of what the configuration says. */
const beyondOf = (
  { options }: Hop,
  { config, lookup }: { readonly config: Settings; readonly lookup: Lookup },
): readonly string[] => {
  const placeOf = (name: string): string =>
    options[name] === undefined ? placed(lookup.whereIs?.(name, [config[name] ?? []].flat().join(' '))) : ''
  const names = beyondUs({ ...config, ...options }).map((name) => `${spelt(name)}${placeOf(name)}`)
  return [...names, ...(lookup.undecided ? [lookup.undecided] : [])]
}

const OBEYED = ['port', 'serveraliveinterval', 'serveralivecountmax', 'forkafterauthentication']
interface Said {
  readonly config: Settings
  readonly whereIs: Lookup['whereIs']
}
const placed = (where: string | null | undefined): string => (where ? ` (${where})` : '')

/** The inventory's options were looked at when it was loaded; those of ssh's own configuration are read here first. */
const requireSense = (host: string, name: string, { config, whereIs }: Said): void => {
  for (const key of OBEYED) {
    const value = [config[key] ?? []].flat().join(' ') || undefined
    const mistake = value === undefined ? null : mistakeIn(key, value)
    if (mistake)
      throw new LinkError(host, `ssh's configuration for ${name}${placed(whereIs?.(key, value ?? ''))}: ${mistake}`, {
        hint: 'See ssh_config(5); a `Host` section of its own, or `-F FILE` in ansible_ssh_common_args, can leave it out.',
      })
  }
}

/** /dev/null would make every host new each time, and so accept any key: the usual file takes its place. */
const knownHostsFiles = (
  setting: (key: string) => string | undefined,
  { knownHosts }: ConnectOptions,
): readonly string[] => {
  if (knownHosts) return [knownHosts]
  const own = pathWords(setting('userknownhostsfile') ?? '').filter((path) => path !== '/dev/null' && path !== 'none')
  const shared = pathWords(setting('globalknownhostsfile') ?? '/etc/ssh/ssh_known_hosts')
  return [...(own.length > 0 ? own : ['~/.ssh/known_hosts']), ...shared]
}

/** The tokens and variables of ssh_config(5) that paths are written with. */
const expand = (path: string, { home, env }: Surroundings, tokens: Readonly<Record<string, string>>): string =>
  homePath(path, home).replace(/%(.)|\$\{(\w+)\}/g, (whole, token: string, name: string | undefined) =>
    name ? (env[name] ?? whole) : (tokens[token] ?? whole),
  )

const first = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.join(' ')
const every = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value
