/** Talking to lab hosts with the lab's own key, through plain OpenSSH. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { attempt, type Outcome } from './command.ts'
import { enterLab } from './enter.ts'
import { accounts, hostAddress, hostIndex, labKey, labKnownHosts } from './places.ts'

interface SshOptions {
  readonly lab?: string
  readonly user?: string
}

/** Runs a shell command on a host (`lab-N` or an address) and returns what it said. Exit code 255 is ssh's own: no way in. */
export const labExec = (
  host: string,
  command: string,
  { input, ...options }: SshOptions & { readonly input?: string } = {},
): Promise<Outcome> => attempt([...sshTo(host, options, ['-oBatchMode=yes']), '--', command], { input })

/** Opens a shell on a host in this terminal, or runs a command there. Returns its exit code. */
export const labSsh = async (
  host: string,
  command: readonly string[] = [],
  options: SshOptions = {},
): Promise<number> => {
  const [program = '', ...rest] = [...sshTo(host, options, []), ...(command.length > 0 ? ['--', ...command] : [])]
  const [code] = await once(spawn(program, rest, { stdio: 'inherit' }), 'close')
  return typeof code === 'number' ? code : 255
}

/** The whole command line of ssh to a lab host, from outside the lab's network or inside. */
const sshTo = (host: string, { lab, user = accounts.root }: SshOptions, more: readonly string[]): string[] => [
  ...(enterLab(lab) ?? []),
  ...['ssh', '-F', 'none', '-i', labKey(), '-oIdentitiesOnly=yes', `-oUserKnownHostsFile=${labKnownHosts()}`],
  ...[
    '-oGlobalKnownHostsFile=none',
    '-oStrictHostKeyChecking=yes',
    '-oConnectTimeout=5',
    '-oLogLevel=ERROR',
    '-oKexAlgorithms=curve25519-sha256',
    ...more,
  ],
  `${user}@${/^[\d.]+$/.test(host) ? host : hostAddress(hostIndex(host))}`,
]
