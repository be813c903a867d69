import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const CACHE = join(homedir(), '.cache/vestal-test')
/** Exact versions and checksums of all that is installed. A folder is called after them, so that other pins are another folder. */
const ANSIBLE = join(import.meta.dirname, 'pins/ansible.txt')
const NEWER_PYYAML = join(import.meta.dirname, 'pins/pyyaml-6.0.4.txt')
const placeOf = (name: string, pins: string): string =>
  join(CACHE, `${name}-${createHash('sha256').update(readFileSync(pins)).digest('hex').slice(0, 12)}`)
const HOME = placeOf('ansible', ANSIBLE)
const PYYAML = placeOf('pyyaml', NEWER_PYYAML)
/** Empty, so that no settings of the machine's own count. */
const CONFIG = join(CACHE, 'ansible.cfg')
const PYTHON = join(HOME, 'bin/python3')

/** Installs a real ansible-core, and beside it a newer PyYAML, once for all tests on this machine. Slow the first time. */
const INSTALL = `
exec 9> "${join(CACHE, 'ansible.lock')}"
flock 9
[ -e "${HOME}/.whole" ] && [ -e "${PYYAML}/.whole" ] && exit 0
rm -rf "${HOME}" "${PYYAML}"
python3 -m venv "${HOME}" || {
  rm -rf "${HOME}"
  apt-get update
  apt-get install -y --no-install-recommends python3-venv
  python3 -m venv "${HOME}"
}
pip() { "${HOME}/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: "$@"; }
pip -r "${ANSIBLE}"
pip --target "${PYYAML}" -r "${NEWER_PYYAML}"
touch "${HOME}/.whole" "${PYYAML}/.whole"
`
export const installAnsible = (): void => {
  mkdirSync(CACHE, { recursive: true })
  writeFileSync(CONFIG, '')
  execFileSync('sh', ['-ec', INSTALL], { stdio: ['ignore', 'ignore', 'inherit'] })
}

export interface Question {
  readonly paths: readonly string[]
  readonly patterns?: readonly string[]
}
export interface Answer {
  /** What `ansible-inventory --list` prints. */
  readonly list: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** What `ansible --list-hosts all --limit PATTERN` chooses, by pattern. */
  readonly hosts: Readonly<Record<string, readonly string[]>>
}

/** Asks the real Ansible about many inventories, in one process: with PyYAML 6.0.3, or with 6.0.4. */
export const askAnsible = (questions: readonly Question[], { newerPyYaml = false } = {}): readonly Answer[] =>
  JSON.parse(
    run(['-B', join(import.meta.dirname, 'ask_ansible.py')], {
      input: JSON.stringify(questions),
      env: newerPyYaml ? { PYTHONPATH: PYYAML } : {},
    }),
  )

/** Runs the real ansible-vault. */
export const ansibleVault = (args: readonly string[], input?: string): string =>
  run(['-m', 'ansible', 'vault', ...args], { input })

/** Runs the real `ansible-inventory --list`. */
export const ansibleInventory = (paths: readonly string[]): Answer['list'] =>
  JSON.parse(run(['-m', 'ansible', 'inventory', '--list', ...paths.flatMap((path) => ['-i', path])], {}))

const run = (args: readonly string[], { input = '', env }: { input?: string; env?: NodeJS.ProcessEnv }): string =>
  execFileSync(PYTHON, args, {
    input,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, ANSIBLE_CONFIG: CONFIG, ANSIBLE_LOCALHOST_WARNING: '0', ...env },
  })
