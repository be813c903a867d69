import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const CACHE = join(homedir(), '.cache/vestal-test')
const HOME = join(CACHE, 'ansible-core')
/** Empty, so that no settings of the machine's own count. */
const CONFIG = join(CACHE, 'ansible.cfg')
const PYTHON = join(HOME, 'bin/python3')

/** Installs a real ansible-core once, for all tests on this machine. Slow the first time. */
const INSTALL = `
exec 9> "${join(CACHE, 'ansible-core.lock')}"
flock 9
"${PYTHON}" -c 'import ansible' 2>/dev/null && exit 0
rm -rf "${HOME}"
python3 -m venv "${HOME}" || {
  rm -rf "${HOME}"
  apt-get update
  apt-get install -y --no-install-recommends python3-venv
  python3 -m venv "${HOME}"
}
"${HOME}/bin/pip" install --quiet --disable-pip-version-check 'ansible-core>=2.15,<2.20'
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

/** Asks the real Ansible about many inventories, in one process. */
export const askAnsible = (questions: readonly Question[]): readonly Answer[] =>
  JSON.parse(run(['-B', join(import.meta.dirname, 'ask_ansible.py')], { input: JSON.stringify(questions) }))

/** Runs the real ansible-vault. */
export const ansibleVault = (args: readonly string[], input?: string): string =>
  run(['-m', 'ansible', 'vault', ...args], { input })

/** Runs the real `ansible-inventory --list`. */
export const ansibleInventory = (paths: readonly string[]): Answer['list'] =>
  JSON.parse(run(['-m', 'ansible', 'inventory', '--list', ...paths.flatMap((path) => ['-i', path])], {}))

const run = (args: readonly string[], { input = '' }: { input?: string }): string =>
  execFileSync(PYTHON, args, {
    input,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, ANSIBLE_CONFIG: CONFIG, ANSIBLE_LOCALHOST_WARNING: '0' },
  })
