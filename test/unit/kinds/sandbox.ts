import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Machine, machine, type Run } from './machine.ts'

/**
 * A machine for kinds that need no systemd: this one, in a mount namespace where /etc, /opt, /run, /srv and /var/lib are a
 * temporary folder's.
 */
export interface Sandbox extends Machine, Disposable {
  /** Where a path of the sandbox is outside of it. */
  at(path: string): string
}

const FOLDERS = ['etc', 'opt', 'run', 'srv', 'var/lib']
const ACCOUNTS = [
  'passwd',
  'group',
  'shadow',
  'gshadow',
  'login.defs',
  'nsswitch.conf',
  'default',
  'alternatives',
  'pam.d',
]

export const sandbox = (shell: 'dash' | 'bash' = 'dash'): Sandbox => {
  const root = mkdtempSync(join(tmpdir(), 'vestal-kinds-'))
  for (const folder of FOLDERS) mkdirSync(join(root, folder), { recursive: true })
  for (const name of ACCOUNTS.filter((one) => existsSync(join('/etc', one)))) {
    cpSync(join('/etc', name), join(root, 'etc', name), { recursive: true, verbatimSymlinks: true })
  }
  const enter = `${FOLDERS.map((folder) => `mount --bind "$0/${folder}" /${folder}`).join(' && ')} && exec ${shell} -s`
  const sh: Run = (script) => {
    const ran = spawnSync('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', enter, root], {
      input: script,
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', VESTAL_RUN: 'run-1' },
      maxBuffer: 64 * 1024 * 1024,
    })
    return { code: ran.status, stdout: ran.stdout, output: `${ran.stdout}${ran.stderr}`.trim() }
  }
  return {
    ...machine(sh),
    at: (path) => join(root, path),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}
