/** One lab host: a systemd-nspawn container with its own disk (an overlay on the image), its own network and its own control group. */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { HostError } from '../errors.ts'
import { cgroupTree, isFrozen, isPopulated, killGroup, makeGroup, memberGroup, pidsOf } from './cgroup.ts'
import { run } from './command.ts'
import { hostKey } from './keys.ts'
import { hostNamespace, labFolder, namespaceFile } from './places.ts'
import { labExec } from './ssh.ts'

export type Power = 'running' | 'frozen' | 'off'

export const powerOf = (lab: string, host: string): Power =>
  isFrozen(lab, host) ? 'frozen' : isPopulated(lab, host) ? 'running' : 'off'

/** The folder of a host's disk (`upper`) and of what its console said (`console.log`). */
export const hostFolder = (lab: string, host: string): string => join(labFolder(lab), 'hosts', host)

/** Switches a host on, with the disk it had before or a fresh one. Returns at once: it has still to boot. */
export const startHost = (lab: string, host: string, image: string): void => {
  const folder = hostFolder(lab, host)
  for (const sub of ['upper', 'work', 'root']) mkdirSync(join(folder, sub), { recursive: true })
  const console = openSync(join(folder, 'console.log'), 'w')
  const child = spawn('sh', ['-euc', start, 'sh', makeGroup(lab, host)], {
    detached: true,
    stdio: ['ignore', console, console],
    cwd: folder,
    env: {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      IMAGE: image,
      CGROUPS: cgroupTree(),
      HOST: host,
      HOST_KEY: hostKey(host),
      MACHINE: hostNamespace(lab, host),
      NETNS: namespaceFile(hostNamespace(lab, host)),
      BOOT: boot,
    },
  })
  child.unref()
  closeSync(console)
}

/**
 * Waits until the host has booted and sshd lets us in, which is asked by doing it.
 * Throws HostError with the console's last words if the host goes off or takes longer than `seconds`.
 */
export const waitForHost = async (lab: string, host: string, seconds = 180): Promise<void> => {
  const deadline = Date.now() + seconds * 1000
  for (let seen = false; ; await sleep(300)) {
    const { code, stdout, stderr } = await labExec(host, 'systemctl is-system-running --wait', { lab })
    if (code !== 255 && stdout.trim() !== '') return
    seen ||= isPopulated(lab, host)
    if (Date.now() < deadline && (isPopulated(lab, host) || !seen)) continue
    const log = join(hostFolder(lab, host), 'console.log')
    const words = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').slice(-12).join('\n') : ''
    const why = isPopulated(lab, host)
      ? `does not answer on SSH after ${seconds} s: ${stderr.trim()}`
      : 'went off while booting'
    throw new HostError(host, `${host} ${why}\n${words}`, { hint: `Its console is in ${log}.` })
  }
}

/** Shuts a host down as its own `poweroff` would. Throws HostError if that takes longer than `seconds`. */
export const shutDownHost = async (lab: string, host: string, seconds = 90): Promise<void> => {
  for (const supervisor of pidsOf(join(memberGroup(lab, host), 'supervisor'))) process.kill(supervisor, 'SIGTERM')
  for (const deadline = Date.now() + seconds * 1000; isPopulated(lab, host); await sleep(50))
    if (Date.now() > deadline) throw new HostError(host, `${host} has not shut down within ${seconds} s`)
  await killGroup(lab, host)
}

/** Takes the power away: every process of the host is killed at once. Its disk stays. */
export const cutPower = (lab: string, host: string): Promise<void> => killGroup(lab, host)

/** Removes what systemd-nspawn leaves behind when it is killed, and the host's disk. */
export const discardHost = (lab: string, host: string): void => {
  const machine = hostNamespace(lab, host)
  for (const left of ['propagate', 'unix-export'])
    rmSync(`/run/systemd/nspawn/${left}/${machine}`, { recursive: true, force: true })
  rmSync(hostFolder(lab, host), { recursive: true, force: true })
}

/**
 * Runs a script as root at the host's own console, past its network and its sshd. Returns what it printed.
 * Throws an Error if the host is off or the script exits other than 0.
 */
export const atConsole = async (lab: string, host: string, script: string, input = ''): Promise<string> => {
  const [init] = pidsOf(join(memberGroup(lab, host), 'payload', 'init.scope'))
  if (init === undefined) throw new HostError(host, `${host} is off`)
  return run(['nsenter', `--target=${init}`, '--all', '--', 'sh', '-euc', script], { input })
}

/** Into the host's control group first, so that all that follows is counted as the host's; then into mounts of its own. */
const start = 'echo $$ >"$1/cgroup.procs"; exec unshare --mount --propagation private sh -euc "$BOOT"'

/**
 * The disk, the host's identity at its first boot, a unified control group tree where systemd looks for it, and the machine.
 * All of it is mounted in a namespace that ends with the machine, so nothing is ever left to unmount.
 */
const boot = `
mount -t overlay overlay -o "lowerdir=$IMAGE,upperdir=$PWD/upper,workdir=$PWD/work" root
if [ ! -s root/etc/machine-id ]; then
  printf '%s\\n' "$HOST" >root/etc/hostname
  install -m 600 "$HOST_KEY" root/etc/ssh/ssh_host_ed25519_key
  install -m 644 "$HOST_KEY.pub" root/etc/ssh/ssh_host_ed25519_key.pub
  tr -d - </proc/sys/kernel/random/uuid >root/etc/machine-id
fi
if [ "$(stat --file-system --format=%T /sys/fs/cgroup)" != cgroup2fs ]; then
  umount -l /sys/fs/cgroup 2>/dev/null || true
  mount --bind "$CGROUPS" /sys/fs/cgroup
fi
exec systemd-nspawn --quiet --boot --directory="$PWD/root" --machine="$MACHINE" --hostname="$HOST" \\
  --register=no --keep-unit --resolv-conf=off --timezone=off --link-journal=no \\
  --network-namespace-path="$NETNS" --console=passive --kill-signal=SIGRTMIN+3 --capability=CAP_NET_ADMIN
`
