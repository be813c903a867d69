/** The disk that every lab host starts from: a small Debian with systemd and sshd, built once and kept. */
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { globSync } from 'glob'
import { run } from './command.ts'
import { architecture, suites, transportOptions, writeSources } from './debian.ts'
import { withLock } from './lock.ts'
import { hostsFile } from './network.ts'
import { removeOwn } from './own.ts'
import { accounts, labRoot } from './places.ts'
import type { Progress } from './progress.ts'

interface ImageParts {
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

/** Builds the image unless it is there. Returns its folder, whose name changes with anything that goes into it. */
export const ensureImage = async (parts: ImageParts, say: Progress): Promise<string> => {
  const folder = join(labRoot(), 'images', fingerprint(parts))
  await withLock(join(labRoot(), 'locks', 'image'), async () => {
    if (!existsSync(folder)) await build(parts, folder, say)
  })
  return folder
}

const build = async (parts: ImageParts, folder: string, say: Progress): Promise<void> => {
  say(`building the hosts' disk image (Debian ${suites[0]}, about half a minute)`)
  const draft = join(labRoot(), 'images', '.draft')
  removeOwn(draft)
  mkdirSync(draft, { recursive: true })
  const root = join(draft, 'root')
  await writeSources(join(draft, 'archive.sources'), suites.slice(0, 1))
  writeFileSync(join(draft, 'apt.conf'), await transportOptions())
  const { debian } = await architecture()
  await run([
    ...alone,
    ...['mmdebstrap', '--quiet', '--mode=root', '--variant=minbase', `--architectures=${debian}`],
    ...[`--aptopt=${join(draft, 'apt.conf')}`, `--include=${packages.join(',')}`],
    ...[suites[0], root, join(draft, 'archive.sources')],
  ])
  cpSync(parts.templates, join(root, 'usr/share/prometheus/alertmanager'), { recursive: true })
  writeFileSync(join(root, 'etc/hosts'), hostsFile())
  await run(['chroot', root, 'sh', '-eu'], { input: setUp(parts.key), env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } })
  renameSync(root, folder)
  removeOwn(draft)
  removeUnused(folder)
}

/** Removes the images, known by their names, that no host's disk is on, but for the new one. */
export const removeUnused = (fresh: string): void => {
  const notes = globSync(join(labRoot(), 'labs/*/hosts/*/image')).map((note) => readFileSync(note, 'utf8'))
  for (const image of globSync(join(labRoot(), 'images/*')))
    if (isFingerprint(basename(image)) && image !== fresh && !notes.includes(image)) removeOwn(image)
}

/** Mounts of its own and a life that ends with ours, so that a build that is killed leaves nothing mounted or running. */
const alone = [
  ...['setpriv', '--pdeathsig', 'KILL', 'unshare', '--mount', '--propagation', 'private'],
  ...['--pid', '--fork', '--kill-child', '--mount-proc'],
]

/** What is done inside the image: accounts, sshd, and nothing that would run by itself or ask for the archive. */
const setUp = (key: string): string => `
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
`

const isFingerprint = (name: string): boolean => /^[0-9a-f]{12}$/.test(name)

const fingerprint = ({ key, templates }: ImageParts): string => {
  const hash = createHash('sha256')
  for (const part of [packages.join(), setUp(key), hostsFile()]) hash.update(part).update('\0')
  for (const name of readdirSync(templates).sort()) hash.update(readFileSync(join(templates, name))).update('\0')
  return hash.digest('hex').slice(0, 12)
}
