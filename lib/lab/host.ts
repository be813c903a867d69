/** One lab host: a systemd-nspawn container with its own disk (an overlay on the image), its own network and its own control group. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { HostError } from '../errors.ts'
import { cgroupTree, isFrozen, isPopulated, killGroup, memberGroup, pidsOf, startMember } from './cgroup.ts'
import { run } from './command.ts'
import { hostKey } from './keys.ts'
import { hostNamespace, labFolder, namespaceFile, SHARED_ON_HOSTS, sharedFolder } from './places.ts'
import { labExec } from './ssh.ts'
import { parseSystem, systemOfImage } from './system.ts'

export type Power = 'running' | 'frozen' | 'off'

export const powerOf = (lab: string, host: string): Power =>
  isFrozen(lab, host) ? 'frozen' : isPopulated(lab, host) ? 'running' : 'off'

/** The folder of a host's disk (`upper`) and of what its console said (`console.log`). */
export const hostFolder = (lab: string, host: string): string => join(labFolder(lab), 'hosts', host)

/** The system that the host's disk was begun on, such as `bookworm-amd64`; empty where it has no disk yet, or one that is older than such names. */
export const systemOf = (lab: string, host: string): string => {
  const note = join(hostFolder(lab, host), 'image')
  return existsSync(note) ? systemOfImage(basename(readFileSync(note, 'utf8'))) : ''
}

/**
 * Switches a host on, with the disk it had before, or a fresh one on this image. Returns at once: it has still to boot.
 * Throws HostError if the image under its disk is gone.
 */
export const startHost = async (lab: string, host: string, image?: string): Promise<void> => {
  const folder = hostFolder(lab, host)
  for (const sub of ['upper', 'work', 'root']) mkdirSync(join(folder, sub), { recursive: true })
  const lower = imageUnder(folder, image)
  if (!existsSync(lower))
    throw new HostError(host, `the image under ${host}'s disk is gone`, {
      hint: 'Take the lab down and bring it up anew.',
    })
  mkdirSync(sharedFolder(lab), { recursive: true })
  await killGroup(lab, host)
  const boot = ['unshare', '--mount', '--propagation', 'private', 'sh', '-euc', machine]
  startMember(lab, host, boot, {
    cwd: folder,
    log: join(folder, 'console.log'),
    env: {
      PATH: systemPath,
      IMAGE: lower,
      CGROUPS: cgroupTree(),
      GROUP: memberGroup(lab, host),
      HOST: host,
      HOST_KEY: hostKey(host),
      MACHINE: hostNamespace(lab, host),
      NETNS: namespaceFile(hostNamespace(lab, host)),
      SHARED: sharedFolder(lab),
    },
  })
}

/**
 * Waits until the host has booted and sshd lets us in, which is asked by doing it.
 * Throws HostError with the console's last words if the host goes off or takes longer than three minutes, fifteen where it is emulated.
 */
export const waitForHost = async (lab: string, host: string): Promise<void> => {
  const seconds = (await isEmulated(lab, host)) ? 900 : 180
  const deadline = Date.now() + seconds * 1000
  for (; ; await sleep(300)) {
    const { code, stdout, stderr } = await labExec(host, 'systemctl is-system-running --wait', { lab })
    if (code !== 255 && stdout.trim() !== '') return
    if (Date.now() < deadline && isPopulated(lab, host)) continue
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
  for (const supervisor of pidsOf(join(memberGroup(lab, host), 'machine', 'supervisor')))
    process.kill(supervisor, 'SIGTERM')
  for (const deadline = Date.now() + seconds * 1000; isPopulated(lab, host); await sleep(50))
    if (Date.now() > deadline) throw new HostError(host, `${host} has not shut down within ${seconds} s`)
  await killGroup(lab, host)
}

/** Takes the power away: the host goes silent on the wire and every process of it is killed at once. Its disk stays. */
export const cutPower = async (lab: string, host: string): Promise<void> => {
  await run(['ip', '-n', hostNamespace(lab, host), 'link', 'set', 'eth0', 'down'])
  await killGroup(lab, host)
}

/**
 * Runs a script as root at the host's own console, past its network and its sshd. Returns what it printed.
 * Throws an Error if the host is off or the script exits other than 0.
 */
export const atConsole = async (lab: string, host: string, script: string, input = ''): Promise<string> => {
  const [init] = pidsOf(join(memberGroup(lab, host), 'machine', 'payload', 'init.scope'))
  if (init === undefined) throw new HostError(host, `${host} is off`)
  return run(['nsenter', `--target=${init}`, '--all', '--', 'sh', '-euc', script], {
    input,
    env: { PATH: systemPath },
  })
}

const isEmulated = async (lab: string, host: string): Promise<boolean> => {
  const system = systemOf(lab, host)
  return system !== '' && (await parseSystem(system, host)).emulated
}

/** A disk is only good on the image that it was begun on, so that is written down beside it. */
const imageUnder = (folder: string, fresh = ''): string => {
  const note = join(folder, 'image')
  if (!existsSync(note)) writeFileSync(note, fresh)
  return readFileSync(note, 'utf8')
}

const systemPath = '/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * The disk, the folder that all hosts share, the host's identity at its first boot, a unified control group tree where systemd looks for it, a place for
 * systemd-nspawn's own notes, and the machine, which is started anew when it ends with the exit code that says it reboots.
 * Its network namespace outlives it, so what dies with a machine's kernel is seen to here: no link, and no packet filter of its own.
 * All of it is mounted in a namespace that ends with the machine, so nothing is ever left to unmount.
 */
const machine = `
mount -t overlay overlay -o "lowerdir=$IMAGE,upperdir=$PWD/upper,workdir=$PWD/work" root
mkdir -p root${SHARED_ON_HOSTS}
mount --bind "$SHARED" root${SHARED_ON_HOSTS}
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
mkdir -p /run/systemd/nspawn
mount -t tmpfs tmpfs /run/systemd/nspawn
forget_rules='nft list tables | grep -v " lab_" | sed "s/^/delete /" | nft -f -'
machine() {
  echo 0 >"$GROUP/machine/cgroup.procs"
  exec systemd-nspawn --quiet --boot --directory="$PWD/root" --machine="$MACHINE" --hostname="$HOST" \\
    --register=no --keep-unit --resolv-conf=off --timezone=off --link-journal=no \\
    --network-namespace-path="$NETNS" --console=passive --kill-signal=SIGRTMIN+3 \\
    --capability=CAP_NET_ADMIN,CAP_SYS_RESOURCE --rlimit=NOFILE=1024:524288
}
code=133
while [ $code -eq 133 ]; do
  find "$GROUP/machine" -depth -type d -exec rmdir {} + 2>/dev/null || true
  mkdir "$GROUP/machine"
  ip netns exec "$MACHINE" sh -c "$forget_rules"
  ip -n "$MACHINE" link set eth0 up
  code=0
  (machine) || code=$?
  ip -n "$MACHINE" link set eth0 down
done
exit $code
`
