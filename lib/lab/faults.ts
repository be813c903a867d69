/** What can happen to a machine and its link, done to a lab host. None of it asks the host's consent or needs its network. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InputError } from '../errors.ts'
import { setFrozen } from './cgroup.ts'
import { attempt, run } from './command.ts'
import { atConsole, cutPower, powerOf, shutDownHost, startHost, waitForHost } from './host.ts'
import { hostKey } from './keys.ts'
import { controllerNamespace, hostIndex, hostNamespace, labFolder } from './places.ts'

/** Takes the power away at once. What the host had written stays on its disk: the box's own page cache is not lost. */
export const powerLoss = (host: string, lab = 'default'): Promise<void> => cutPower(lab, host)

/** Shuts the host down cleanly, as its `poweroff` does. */
export const powerOff = (host: string, lab = 'default'): Promise<void> => shutDownHost(lab, host)

/** Switches the host on again with the disk it had, and waits until it lets us in. Throws HostError if it does not. */
export const powerOn = async (host: string, lab = 'default'): Promise<void> => {
  if (powerOf(lab, host) === 'off') await startHost(lab, host)
  await waitForHost(lab, host)
}

/** Gives a host its power back after so many seconds, by a process of its own that outlives this one. Returns what calls that off. */
export const powerOnAfter = (host: string, seconds: number, lab = 'default'): (() => void) => {
  const program = fileURLToPath(import.meta.url).replace(/faults(\.\w+)$/, 'power-main$1')
  const child = spawn(process.execPath, [...process.execArgv, program, lab, host, String(seconds)], {
    detached: true,
    stdio: 'ignore',
  })
  child.unref()
  return () => void child.kill('SIGKILL')
}

/** Stops every process of the host where it stands. Its kernel goes on answering pings and taking connections. */
export const freeze = (host: string, lab = 'default'): Promise<void> => setFrozen(lab, host, true)
export const thaw = (host: string, lab = 'default'): Promise<void> => setFrozen(lab, host, false)

/** Pulls the host's network cable, or plugs it in. */
export const cable = async (host: string, state: 'up' | 'down', lab = 'default'): Promise<void> => {
  await run(['ip', '-n', controllerNamespace(lab), 'link', 'set', host, state])
}

/**
 * Lets the host's link lose this part of the packets (0 to 1) each way; 0 ends it. By nftables, which kernels have where they lack netem.
 */
export const loss = async (host: string, part: number, lab = 'default'): Promise<void> => {
  if (!(part >= 0 && part <= 1))
    throw new InputError([{ where: 'loss', what: `${part} is not a part of all packets, from 0 to 1` }])
  const table = `lab_loss_${hostIndex(host)}`
  for (const { namespace, device } of endsOf(host, lab)) {
    const chain = `type filter hook ingress device "${device}" priority 0; policy accept;`
    const rules = [
      `add table netdev ${table}`,
      `delete table netdev ${table}`,
      ...(part > 0 ? [`table netdev ${table} {`, 'chain lossy {', chain] : []),
      ...(part > 0 ? [`numgen random mod 10000 < ${Math.round(part * 10_000)} drop`, '}', '}'] : []),
    ]
    await run(['ip', 'netns', 'exec', namespace, 'nft', '-f', '-'], { input: `${rules.join('\n')}\n` })
  }
}

/**
 * Gives the host's link the properties of tc-netem(8) each way, such as ['delay', '100ms', '20ms']; none ends it.
 * Throws InputError where the box's kernel has no netem.
 */
export const netem = async (host: string, properties: readonly string[], lab = 'default'): Promise<void> => {
  for (const { namespace, device } of endsOf(host, lab)) {
    const tc = (...words: readonly string[]) => attempt(['tc', '-n', namespace, 'qdisc', ...words])
    if (properties.length === 0) await tc('del', 'dev', device, 'root')
    else {
      const { code, stderr } = await tc('replace', 'dev', device, 'root', 'netem', ...properties)
      if (code !== 0) throw refused(stderr)
    }
  }
}

/** Gives the host a new host key, as a reinstalled or a different machine would have; known_hosts stays as it was. */
export const changeHostKey = async (host: string, lab = 'default'): Promise<void> => {
  const draft = mkdtempSync(join(labFolder(lab), 'hostkey-'))
  try {
    await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', host, '-f', join(draft, 'key')])
    await installHostKey(host, lab, join(draft, 'key'))
  } finally {
    rmSync(draft, { recursive: true })
  }
}

/** Gives the host back the key that known_hosts has for it. */
export const restoreHostKey = (host: string, lab = 'default'): Promise<void> => installHostKey(host, lab, hostKey(host))

const installHostKey = async (host: string, lab: string, key: string): Promise<void> => {
  const at = '/etc/ssh/ssh_host_ed25519_key'
  const put = (path: string, to: string, mode: string) =>
    atConsole(
      lab,
      host,
      `umask 077; cat >${to}.new; chmod ${mode} ${to}.new; mv ${to}.new ${to}`,
      readFileSync(path, 'utf8'),
    )
  await put(`${key}.pub`, `${at}.pub`, '644')
  await put(key, at, '600')
  // Not a reload, which is over before sshd listens again. Sessions go on.
  await atConsole(lab, host, 'systemctl restart ssh')
}

/** Both ends of the host's cable. What is done where packets come in, at both, is done to each direction. */
const endsOf = (host: string, lab: string): { namespace: string; device: string }[] => [
  { namespace: controllerNamespace(lab), device: host },
  { namespace: hostNamespace(lab, host), device: 'eth0' },
]

const refused = (stderr: string): InputError =>
  new InputError([
    stderr.includes('qdisc kind is unknown')
      ? {
          where: 'this box',
          what: 'has a kernel without netem',
          fix: 'Use loss() for packet loss, or another box for delay.',
        }
      : { where: 'netem', what: stderr.trim() },
  ])
