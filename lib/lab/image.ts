/** The disks that lab hosts start from: each a small Debian with systemd and sshd, built once and kept. */
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { globSync } from 'glob'
import { run } from './command.ts'
import { architecture, transportOptions, writeSources } from './debian.ts'
import { emulatorOf } from './emulation.ts'
import { withLock } from './lock.ts'
import { hostsFile } from './network.ts'
import { removeOwn } from './own.ts'
import { accounts, labRoot } from './places.ts'
import type { Progress } from './progress.ts'
import { type System, systemName, systemOfImage, usualGeneration } from './system.ts'

interface ImageParts {
  /** Bookworm for the box's own processor, unless said. */
  readonly system?: System
  /** Public half of the key that every account lets in. */
  readonly key: string
  /** A folder with Alertmanager's default.tmpl and email.tmpl, which Debian's build of it reads from the disk. */
  readonly templates: string
}

/** Packages with services that roles deploy as the distribution has them. */
const distributed = ['haproxy', 'keepalived']

const packages = [
  ...['systemd', 'systemd-sysv', 'dbus', 'openssh-server', 'iproute2', 'sudo', 'ca-certificates', 'procps'],
  ...['nftables', 'iputils-ping', 'python3-minimal', 'python3-apt'],
  // A host has no way to an archive: what roles take from the distribution is here, and off.
  ...distributed,
]

/** Builds the image unless it is there. Returns its folder, whose name says what it is and changes with anything that goes into it. */
export const ensureImage = async ({ system, ...parts }: ImageParts, say: Progress): Promise<string> => {
  const of = system ?? { generation: usualGeneration, arch: (await architecture()).debian, emulated: false }
  const folder = join(labRoot(), 'images', `${systemName(of)}-${fingerprint(parts, of)}`)
  await withLock(join(labRoot(), 'locks', 'image'), async () => {
    if (!existsSync(folder)) await build({ ...parts, system: of }, folder, say)
  })
  return folder
}

const build = async (
  { key, templates, system }: ImageParts & { readonly system: System },
  folder: string,
  say: Progress,
): Promise<void> => {
  const { generation, arch, emulated } = system
  const title = `Debian ${generation}${emulated ? ` for ${arch}` : ''}`
  say(`building the hosts' disk image (${title}, about ${emulated ? 'eight minutes' : 'half a minute'})`)
  const draft = join(labRoot(), 'images', '.draft')
  removeOwn(draft)
  mkdirSync(draft, { recursive: true })
  const root = join(draft, 'root')
  await writeSources(join(draft, 'archive.sources'), [generation])
  writeFileSync(join(draft, 'apt.conf'), await transportOptions())
  await run([
    ...alone,
    ...['mmdebstrap', '--quiet', '--mode=root', '--variant=minbase', `--architectures=${arch}`],
    // It looks for the emulator under the name that Debian's package gives it; the lab's has another.
    ...(emulated ? ['--skip=check/qemu'] : []),
    ...[`--aptopt=${join(draft, 'apt.conf')}`, `--include=${packages.join(',')}`],
    ...[generation, root, join(draft, 'archive.sources')],
  ])
  cpSync(templates, join(root, 'usr/share/prometheus/alertmanager'), { recursive: true })
  writeFileSync(join(root, 'etc/hosts'), hostsFile())
  await run(['chroot', root, 'sh', '-eu'], {
    input: setUp(key, system),
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
  })
  renameSync(root, folder)
  removeOwn(draft)
  removeUnused(folder)
}

/** Removes the images of the same system, known by their names, that no host's disk is on, but for the new one. */
export const removeUnused = (fresh: string): void => {
  const system = systemOfImage(basename(fresh))
  const notes = globSync(join(labRoot(), 'labs/*/hosts/*/image')).map((note) => readFileSync(note, 'utf8'))
  for (const image of globSync(join(labRoot(), 'images/*')))
    if (isOf(system, basename(image)) && image !== fresh && !notes.includes(image)) removeOwn(image)
}

/** Mounts of its own and a life that ends with ours, so that a build that is killed leaves nothing mounted or running. */
const alone = [
  ...['setpriv', '--pdeathsig', 'KILL', 'unshare', '--mount', '--propagation', 'private'],
  ...['--pid', '--fork', '--kill-child', '--mount-proc'],
]

/** What is done inside the image: accounts, sshd, and nothing that would run by itself or ask for the archive. */
const setUp = (key: string, { emulated, arch }: System): string => `
useradd --create-home --shell /bin/bash --uid 1000 ${accounts.ops}
useradd --create-home --shell /bin/bash --uid 1001 ${accounts.deploy}
printf '%s:${accounts.password}\\n' ${accounts.ops} ${accounts.deploy} | chpasswd
printf '%s\\n' '${accounts.ops} ALL=(ALL:ALL) NOPASSWD: ALL' '${accounts.deploy} ALL=(ALL:ALL) ALL' >/etc/sudoers.d/lab
chmod 440 /etc/sudoers.d/lab
for account in root ${accounts.ops} ${accounts.deploy}; do
  home=$(getent passwd "$account" | cut -d: -f6)
  install -d -m 700 -o "$account" -g "$account" "$home/.ssh"
  printf '%s\\n' '${key.trim()}' >"$home/.ssh/authorized_keys"
  chown "$account:$account" "$home/.ssh/authorized_keys"
  chmod 600 "$home/.ssh/authorized_keys"
done
rm -f /etc/ssh/ssh_host_*
printf '%s\\n' 'HostKey /etc/ssh/ssh_host_ed25519_key' 'MaxStartups 100' >/etc/ssh/sshd_config.d/lab.conf
touch /etc/default/locale
install -d /etc/systemd/journald.conf.d
printf '%s\\n' '[Journal]' 'SystemMaxUse=64M' >/etc/systemd/journald.conf.d/lab.conf
systemctl set-default multi-user.target 2>/dev/null
systemctl disable ${distributed.join(' ')} 2>/dev/null
systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \\
  e2scrub_reap.service systemd-pstore.service getty@.service console-getty.service 2>/dev/null
rm -rf /etc/apt/sources.list.d/* /etc/apt/apt.conf.d/99mmdebstrap /var/lib/apt/lists/* /etc/resolv.conf /etc/hostname
: >/etc/apt/sources.list
: >/etc/machine-id
${emulated ? ofEmulated(arch) : ''}`

/**
 * QEMU's user-mode emulator has no fsmount(2), by which systemd (since 254) gives a service credentials: its own units would fail for those that nobody has
 * set. Nor can systemd give a service accounts and shared memory of its own there. And a machine sees what its kernel hands to the emulator, as it would on its own, by a copy: in the kernel's own file system its systemd would
 * take the box's registrations away.
 */
const ofEmulated = (arch: string): string => `install -d /etc/systemd/system/service.d
printf '%s\\n' '[Service]' ImportCredential= LoadCredential= SetCredential= PrivateIPC=no PrivateUsers=no >/etc/systemd/system/service.d/lab-emulated.conf
printf '%s\\n' enabled 'interpreter ${emulatorOf(arch)}' 'flags: POCF' >/etc/lab-emulator
printf '%s\\n' '[Unit]' DefaultDependencies=no Before=sysinit.target '[Service]' Type=oneshot RemainAfterExit=yes \\
  'ExecStart=mount -t tmpfs -o mode=755 lab /proc/sys/fs/binfmt_misc' \\
  'ExecStart=cp /etc/lab-emulator /proc/sys/fs/binfmt_misc/${arch}' >/etc/systemd/system/lab-binfmt.service
install -d /etc/systemd/system/sysinit.target.wants
ln -s ../lab-binfmt.service /etc/systemd/system/sysinit.target.wants/lab-binfmt.service
systemctl mask systemd-binfmt.service proc-sys-fs-binfmt_misc.automount proc-sys-fs-binfmt_misc.mount 2>/dev/null
`

/** An image of this system, or one from before images were called by theirs. */
const isOf = (system: string, name: string): boolean =>
  /^[0-9a-f]{12}$/.test(name) || (system !== '' && systemOfImage(name) === system)

const fingerprint = ({ key, templates }: Omit<ImageParts, 'system'>, system: System): string => {
  const hash = createHash('sha256')
  for (const part of [packages.join(), setUp(key, system), hostsFile()]) hash.update(part).update('\0')
  for (const name of readdirSync(templates).sort()) hash.update(readFileSync(join(templates, name))).update('\0')
  return hash.digest('hex').slice(0, 12)
}
