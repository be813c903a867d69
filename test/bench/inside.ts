/** Programs that run inside a lab's network, timed from outside. */
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HostError } from '../../lib/errors.ts'
import { enterLab } from '../../lib/lab/enter.ts'
import type { Sample } from './statistics.ts'

/** A lab, and the folder that what is run in it writes to. */
export interface Bench {
  readonly lab: string
  readonly folder: string
  readonly signal: AbortSignal
}
export interface Program {
  /** What it is called in messages and how its log file is named. */
  readonly name: string
  readonly argv: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}
export interface Ran extends Sample {
  readonly stdout: string
}

/** Runs a program to its end. Throws HostError with its last words where it exits other than 0. */
export const ran = async ({ lab, folder, signal }: Bench, { name, argv, env }: Program): Promise<Ran> => {
  const [out, err, times] = ['out', 'err', 'times'].map((end) => join(folder, `${name}.${end}`)) as [
    string,
    string,
    string,
  ]
  const files = [out, err, times].map((path) => openSync(path, 'w'))
  const [program = '', ...words] = [...(enterLab(lab) ?? []), 'sh', '-c', timed, 'sh', ...argv]
  const startedAt = process.hrtime.bigint()
  const code = await new Promise<number | null>((resolve, reject) => {
    spawn(program, words, { cwd: folder, env: { ...process.env, ...env }, stdio: ['ignore', ...files], signal })
      .once('error', (error) => reject(signal.aborted ? new HostError(name, 'was interrupted') : error))
      .once('exit', resolve)
  })
  const wallMs = Number(process.hrtime.bigint() - startedAt) / 1e6
  files.forEach(closeSync)
  const stdout = readFileSync(out, 'utf8')
  if (code === 0) return { wallMs, cpuMs: childrenMs(readFileSync(times, 'utf8')), stdout }
  const last = `${stdout}\n${readFileSync(err, 'utf8')}`.trim().split('\n').slice(-12)
  throw new HostError(
    name,
    `ended with ${code === null ? 'a signal' : `exit code ${code}`}:\n${last.map((line) => line.slice(0, 400)).join('\n')}`,
  )
}

/** `times` prints the shell's own user and system time, and on a second line its children's (POSIX). */
const timed = '"$@" 3>&-; code=$?; times >&3; exit $code'

const childrenMs = (text: string): number => {
  const children = text.trim().split('\n')[1] ?? ''
  return [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, m, s]) => sum + Number(m) * 60e3 + Number(s) * 1e3,
    0,
  )
}
