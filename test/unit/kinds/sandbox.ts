import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { compare } from '../../../lib/engine/compare.ts'
import type { Change, State, Step, Task } from '../../../lib/model.ts'
import { bytesOf } from '../../../lib/secret.ts'

export type Shell = 'dash' | 'bash'
export interface Ran {
  readonly code: number | null
  readonly output: string
}
/** A machine for kinds without systemd: this one, in a mount namespace where /etc, /opt, /run, /srv and /var/lib are a temporary folder's. */
export interface Sandbox extends Disposable {
  /** Where a path of the sandbox is outside of it. */
  at(path: string): string
  /** Runs sh as root in it. */
  sh(script: string, stdin?: Uint8Array): Ran & { readonly stdout: Buffer }
  read(tasks: readonly Task[]): ReadonlyMap<string, State>
  changes(tasks: readonly Task[]): readonly Change[]
  /** Carries out steps in order; stops at the first that fails. */
  take(steps: readonly Step[]): Ran
  /** Takes them back, last first. */
  undo(steps: readonly Step[]): Ran
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

export const sandbox = (shell: Shell = 'dash'): Sandbox => {
  const root = mkdtempSync(join(tmpdir(), 'vestal-kinds-'))
  for (const folder of FOLDERS) mkdirSync(join(root, folder), { recursive: true })
  for (const name of ACCOUNTS.filter((one) => existsSync(join('/etc', one)))) {
    cpSync(join('/etc', name), join(root, 'etc', name), { recursive: true, verbatimSymlinks: true })
  }
  const enter = `${FOLDERS.map((folder) => `mount --bind "$0/${folder}" /${folder}`).join(' && ')} && exec ${shell} -s`
  const sh: Sandbox['sh'] = (script, stdin) => {
    // As the engine does: the script is one thing, what its commands read another.
    const input = stdin === undefined ? '/dev/null' : join(root, 'stdin')
    const bytes =
      stdin === undefined ? '' : `base64 -d >${input} <<'INPUT'\n${Buffer.from(stdin).toString('base64')}\nINPUT\n`
    const ran = spawnSync('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', enter, root], {
      input: `${bytes}(\n${script}\n) <${input}`,
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', VESTAL_RUN: 'run-1' },
      maxBuffer: 64 * 1024 * 1024,
    })
    return { code: ran.status, stdout: ran.stdout, output: `${ran.stdout}${ran.stderr}`.trim() }
  }
  const read: Sandbox['read'] = (tasks) => {
    const kinds = Map.groupBy(tasks, ({ kind }) => kind)
    return new Map(
      [...kinds].flatMap(([kind, some]) => {
        const { stdout, code } = sh(kind.probe(some))
        expect(code, 'a probe never fails').not.toBeNull()
        return [...kind.parse(stdout, some)].map(([key, state]) => [`${kind.name} ${key}`, state] as const)
      }),
    )
  }
  const changes: Sandbox['changes'] = (tasks) => {
    const states = read(tasks)
    return tasks.flatMap((task) => compare(task, states.get(`${task.kind.name} ${task.key}`) ?? null) ?? [])
  }
  const take = (steps: readonly Step[]): Ran => {
    for (const { run, stdin } of steps) {
      const ran = sh(`set -eu\n${run}`, stdin === undefined ? undefined : bytesOf(stdin))
      if (ran.code !== 0) return { code: ran.code, output: ran.output }
    }
    return { code: 0, output: '' }
  }
  const undo = (steps: readonly Step[]): Ran =>
    take(steps.toReversed().map((step) => ({ title: step.title, run: step.undo ?? ':' })))
  return {
    at: (path) => join(root, path),
    sh,
    read,
    changes,
    take,
    undo,
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}

/** The steps for what differs. */
export const stepsOf = (changes: readonly Change[]): readonly Step[] =>
  changes.flatMap((change) => change.task.kind.converge(change))

/** The law of every kind: what differs is put right, then nothing differs, and taking it back gives what was there before. */
export const holdsTheLaw = (box: Sandbox, tasks: readonly Task[]): void => {
  const before = box.read(tasks)
  const steps = stepsOf(box.changes(tasks))
  expect(steps).not.toEqual([])
  expect(box.take(steps)).toEqual({ code: 0, output: '' })
  expect(box.changes(tasks)).toEqual([])
  expect(box.undo(steps).code).toBe(0)
  expect(box.read(tasks)).toEqual(before)
  expect(box.take(steps)).toEqual({ code: 0, output: '' })
}
