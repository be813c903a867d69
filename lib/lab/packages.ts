/** What the box itself needs before it can hold a lab. */
import { accessSync, constants } from 'node:fs'
import { InputError } from '../errors.ts'
import { attempt, run } from './command.ts'
import type { Progress } from './progress.ts'

/** A program, and Debian's package that brings it. */
const needed: Readonly<Record<string, string>> = {
  'systemd-nspawn': 'systemd-container',
  mmdebstrap: 'mmdebstrap',
  ip: 'iproute2',
  nft: 'nftables',
  ssh: 'openssh-client',
  unshare: 'util-linux',
  chroot: 'coreutils',
  tar: 'tar',
  gzip: 'gzip',
  openssl: 'openssl',
}

/** Installs what is missing by apt-get, saying so first. Throws InputError on a box that is no Linux with apt, or without root. */
export const ensureBoxPackages = async (say: Progress): Promise<void> => {
  if (process.platform !== 'linux')
    throw unfit('this is not Linux', 'Use machines that you can reach over SSH instead.')
  if (process.getuid?.() !== 0) throw unfit('it needs root', 'Run the same command as root.')
  const packages = [...new Set(missingPrograms().map((program) => needed[program] ?? program))]
  if (packages.length === 0) return
  if (!onPath('apt-get'))
    throw unfit(`it lacks ${packages.join(', ')} and has no apt-get`, 'Install these and try again.')
  say(`installing ${packages.join(', ')} with apt-get`)
  const install = ['apt-get', 'install', '--yes', '--no-install-recommends', ...packages]
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  if ((await attempt(install, { env })).code === 0) return
  await run(['apt-get', 'update'], { env })
  await run(install, { env })
}

const missingPrograms = (): string[] => Object.keys(needed).filter((program) => !onPath(program))

const onPath = (program: string): boolean =>
  [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'].some((folder) => {
    try {
      accessSync(`${folder}/${program}`, constants.X_OK)
      return true
    } catch {
      return false
    }
  })

const unfit = (what: string, fix: string): InputError =>
  new InputError([{ where: 'this box', what: `cannot hold a lab: ${what}`, fix }])
