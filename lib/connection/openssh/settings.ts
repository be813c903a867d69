/** The configuration that OpenSSH is called with. Pure. */
import { resolve } from 'node:path'
import { LinkError } from '../../errors.ts'
import { homePath } from '../ssh/paths.ts'
import type { Target } from '../ssh/target.ts'

export interface Manner {
  /** Where the master listens for those that share its login. */
  readonly socket: string
  /** The command that leads through a jump host. */
  readonly through?: string
  /** Where a host key that is new is to be kept until the login has succeeded; undefined: none may be new. */
  readonly newKeys?: string
  /** Whether there is somebody to answer its questions. */
  readonly asks: boolean
  /** Read after all of this; undefined: ssh's own two files, `none`: nothing. */
  readonly configFile?: string
}

/** What the master says on standard output when it has logged in. Every shell's `echo` prints it. */
export const READY = 'vestal-ssh-ready'

/** Those that ssh tries of its own accord (ssh_config(5), IdentityFile): by the home folder that Vestal goes by, as elsewhere. */
export const USUAL_KEYS: readonly string[] = ['rsa', 'ecdsa', 'ecdsa_sk', 'ed25519', 'ed25519_sk'].map(
  (type) => `~/.ssh/id_${type}`,
)

/** Of what the inventory says, these are said in another way. */
const SAID = new Set([
  ...['configfile', 'identityfile', 'userknownhostsfile', 'globalknownhostsfile', 'stricthostkeychecking'],
  ...['connecttimeout', 'serveraliveinterval', 'serveralivecountmax', 'proxyjump'],
])

/**
 * Of each setting ssh obeys what it reads first (ssh_config(5)): what Vestal relies on, then the inventory's word, then the operator's own
 * configuration, which ssh reads itself. In a file, as a command line is seen by every account. Throws LinkError for a value that can't be written.
 */
export const settingsFor = (target: Target, manner: Manner): string => {
  const { given, keys, knownHosts, keepAlive, timeoutMs } = target
  const path = (text: string): string => inQuotes(target, text.replaceAll('%', '%%'))
  const whole = (ms: number): number => Math.max(1, Math.ceil(ms / 1_000))
  const lines = [
    'ControlMaster yes',
    `ControlPath ${path(manner.socket)}`,
    'ControlPersist no',
    'PermitLocalCommand yes',
    `LocalCommand echo ${READY}`,
    'RemoteCommand none',
    'RequestTTY no',
    'ClearAllForwardings yes',
    'ForwardAgent no',
    'ForwardX11 no',
    'Tunnel no',
    'LogLevel DEBUG1',
    'VisualHostKey no',
    `BatchMode ${manner.asks ? 'no' : 'yes'}`,
    'NumberOfPasswordPrompts 1',
    `StrictHostKeyChecking ${manner.newKeys === undefined ? 'yes' : 'accept-new'}`,
    'HashKnownHosts no',
    'NoHostAuthenticationForLocalhost no',
    'UpdateHostKeys no',
    `UserKnownHostsFile ${[manner.newKeys ?? [], knownHosts].flat().map(path).join(' ')}`,
    'GlobalKnownHostsFile none',
    `ConnectTimeout ${whole(timeoutMs)}`,
    `ServerAliveInterval ${whole(keepAlive.everyMs)}`,
    `ServerAliveCountMax ${keepAlive.times}`,
    ...(manner.through === undefined ? [] : [`ProxyCommand ${manner.through}`]),
    ...(keys.length > 0 ? keys.map((key) => key.path) : USUAL_KEYS).map((key) => `IdentityFile ${path(homePath(key))}`),
    ...(given.port === undefined ? [] : [`Port ${given.port}`]),
    ...(given.user === undefined ? [] : [`User ${inQuotes(target, given.user)}`]),
    ...Object.entries(given.options).flatMap(([name, value]) =>
      SAID.has(name) || (name === 'proxycommand' && manner.through !== undefined)
        ? []
        : [`${name} ${oneLine(target, value)}`],
    ),
    ...(given.options.proxyjump === undefined || manner.through !== undefined ? [] : ['ProxyJump none']),
    ...filesRead(manner).map((file) => `Include ${inQuotes(target, file)}`),
  ]
  return `${lines.join('\n')}\n`
}

/** An Include of a file that is not there is passed over. */
const filesRead = ({ configFile }: Manner): readonly string[] => {
  if (configFile === 'none') return []
  return configFile === undefined ? [homePath('~/.ssh/config'), '/etc/ssh/ssh_config'] : [resolve(homePath(configFile))]
}

const inQuotes = (target: Target, text: string): string => {
  if (text.includes('"')) throw unwritable(target)
  return /^[\w@%+=:,./~-]+$/.test(text) ? text : `"${oneLine(target, text)}"`
}
const oneLine = (target: Target, text: string): string => {
  if (/[\n\r\0]/.test(text)) throw unwritable(target)
  return text
}
const unwritable = ({ host }: Target): LinkError =>
  new LinkError(host, 'a path or option of ssh has a line break or a double quote in it', {
    hint: 'Rename the file, or say it in another way in ansible_ssh_common_args.',
  })
