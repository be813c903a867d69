/** Ansible with the roles of its collection prometheus.prometheus, where both are installed, against the very inventory that Vestal deploys. */
import { spawn } from 'node:child_process'
import { accessSync, constants, globSync, mkdirSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { attempt } from '../../lib/lab/command.ts'
import { enterLab } from '../../lib/lab/enter.ts'
import { labMirror } from '../../lib/lab/places.ts'
import type { Fleet } from './fleets.ts'
import { type Bench, ran } from './inside.ts'
import type { Sample } from './statistics.ts'

export interface Ansible {
  /** The folder of its programs. */
  readonly bin: string
  /** `ansible-core 2.19.14, prometheus.prometheus 0.30.2` */
  readonly versions: string
}

/** Looks in the virtual environment that VESTAL_BENCH_ANSIBLE names, then on PATH. Returns what is missing, in words, where it cannot be used. */
export const findAnsible = async (): Promise<Ansible | string> => {
  const venv = process.env.VESTAL_BENCH_ANSIBLE
  const folders = venv ? [join(venv, 'bin')] : (process.env.PATH ?? '').split(delimiter)
  const bin = folders.find((folder) => isExecutable(join(folder, 'ansible-playbook')))
  if (!bin) return venv ? `there is no ansible-playbook in ${join(venv, 'bin')}` : 'ansible-playbook is not on PATH'
  const listed = await attempt([join(bin, 'ansible-galaxy'), 'collection', 'list', COLLECTION, '--format', 'json'], {
    env,
  })
  const collection = listed.code === 0 ? /"version":\s*"([^"]+)"/.exec(listed.stdout)?.[1] : undefined
  if (!collection) return `its collection ${COLLECTION} is not installed`
  const { stdout } = await attempt([join(bin, 'ansible-playbook'), '--version'], { env })
  const core = /\[core ([^\]]+)\]/.exec(stdout)?.[1]
  return { bin, versions: `ansible-core ${core}, ${COLLECTION} ${collection}` }
}

/** Brings the fleet to what its inventory says. Throws an Error with its last words if that failed. */
export const ansible = async (bench: Bench, fleet: Fleet, { bin }: Ansible): Promise<Sample> => {
  const given = {
    bench_mirror: `http://127.0.0.1:${MIRROR_PORT}`,
    bench_cache: cacheOf(bench),
    bench_rules: [`${SHIPPED_RULES}/*.yml`, `${fleet.folder}/rules/*.yml`],
  }
  // Not the folder, in which Ansible would take the lock file of releases for another inventory.
  const inventory = ['-i', join(fleet.folder, 'hosts.yml')]
  return ran(bench, {
    name: 'ansible',
    argv: [
      join(bin, 'ansible-playbook'),
      ...inventory,
      ...['-e', `@${CONFIG}/vars.yml`, '-e', JSON.stringify(given)],
      `${CONFIG}/fleet.yml`,
    ],
    env: { ...env, ANSIBLE_CONFIG: `${CONFIG}/ansible.cfg`, ANSIBLE_SSH_CONTROL_PATH_DIR: socketsOf(bench) },
  })
}

/** Takes away what an earlier first deploy has left on the controller. */
export const forgetAnsible = async (bench: Bench): Promise<void> => {
  rmSync(cacheOf(bench), { recursive: true, force: true })
  for (const socket of globSync(`${socketsOf(bench)}/*`))
    await attempt(['ssh', '-F', 'none', '-o', `ControlPath=${socket}`, '-O', 'exit', 'host'])
  rmSync(socketsOf(bench), { recursive: true, force: true })
  mkdirSync(socketsOf(bench), { mode: 0o700 })
}

/** The lab's release mirror by HTTP, as the roles fetch releases, inside the lab's network. */
export const serveMirror = ({ lab }: Bench): Disposable => {
  const server = [process.execPath, join(import.meta.dirname, 'serve-mirror.ts'), labMirror(), `${MIRROR_PORT}`]
  const [program = '', ...words] = [...(enterLab(lab) ?? []), ...server]
  const child = spawn(program, words, { stdio: 'ignore' })
  return { [Symbol.dispose]: () => void child.kill() }
}

const COLLECTION = 'prometheus.prometheus'
const CONFIG = join(import.meta.dirname, 'ansible')
const SHIPPED_RULES = join(import.meta.dirname, '../../roles/rules/files')
const MIRROR_PORT = 8099
/** Ansible refuses to run where the locale is not UTF-8. */
const env = { LC_ALL: 'C.UTF-8', ANSIBLE_NOCOLOR: '1' }

const cacheOf = ({ folder }: Bench): string => join(folder, 'ansible-cache')
/** Short, as the path of a socket must be. */
const socketsOf = ({ folder }: Bench): string => join(folder, 'cp')

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
