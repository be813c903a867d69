import { randomBytes } from 'node:crypto'
import { HostError, LinkError } from '../errors.ts'
import { STATE } from '../host-paths.ts'
import type { Connection, Outcome, Upload } from '../model.ts'
import { taskId } from '../model.ts'
import { compare, why } from './compare.ts'
import type { Emit } from './events.ts'
import { type Framed, frame } from './frame.ts'
import { liveSteps, type Numbered, numberedSteps, outputOf } from './live-steps.ts'
import { LOCKED, type LockRequest, lockedError } from './lock.ts'
import type { PlannedHost } from './plan.ts'
import { type Reading, readProbe } from './probe.ts'
import { applyScript } from './script.ts'
import { sendUpload } from './upload.ts'

export interface ConvergeOptions {
  readonly lock: LockRequest
  readonly lastRun: string
  readonly signal?: AbortSignal
  readonly emit: Emit
}
export type HostOutcomes = Readonly<Record<string, Outcome>>
interface Converged {
  readonly outcomes: HostOutcomes
  /** A step failed, so that those before it were taken back in the same script. */
  readonly takenBack: boolean
}

/**
 * Carries out a host's changes in one exec (large files before it, each on its own) and reads the state again in the same exec.
 * Returns an outcome for each change; a change counts as made only when read back and found right.
 * Throws HostError when the host is locked or was changed since it was read, LinkError when the link is lost.
 */
export const converge = async (
  connection: Connection,
  host: PlannedHost,
  options: ConvergeOptions,
): Promise<Converged> => {
  const steps = await Promise.all(numberedSteps(host).map(made))
  await sendUploads(connection, steps, options)
  const marks = frame(randomBytes(8).toString('hex'))
  const verify = host.work.items.map((item) => item.task)
  const script = applyScript(
    {
      steps: steps.map(({ step }) => step),
      verify,
      lock: options.lock,
      lastRun: options.lastRun,
      instance: connection.host.machine.instance,
    },
    marks,
  )
  const live = liveSteps(connection.host.name, steps, marks, options.emit)
  const startedAt = Date.now()
  const answer = await connection.exec(script, { signal: options.signal, onStdout: live })
  const receivedAt = Date.now()
  const framed = marks.split(answer.stdout)
  refused(connection, answer.code, framed)
  const reading = readProbe(verify, marks, {
    host: connection.host.name,
    stdout: answer.stdout,
    sentAt: receivedAt,
    receivedAt,
  })
  if (!reading) throw cutOff(connection, framed, steps, answer.stderr)
  return {
    outcomes: outcomes(host, framed, steps, { reading, ms: receivedAt - startedAt }),
    takenBack: failedStep(framed) !== undefined,
  }
}

/** With what it needs in it, made now. */
const made = async (numbered: Numbered): Promise<Numbered> => {
  const { make, ...step } = numbered.step
  return make ? { ...numbered, step: { ...step, stdin: await make.content() } } : numbered
}

const sendUploads = async (
  connection: Connection,
  steps: readonly Numbered[],
  options: ConvergeOptions,
): Promise<void> => {
  const uploads = new Map<string, Upload>(
    steps.flatMap(({ step: { upload } }) => (upload ? [[upload.sha256, upload]] : [])),
  )
  for (const upload of uploads.values()) {
    await sendUpload(connection, upload, {
      lock: options.lock,
      signal: options.signal,
      onProgress: (sent, of) =>
        options.emit({ event: 'upload', host: connection.host.name, title: upload.title, sent, of }),
    })
  }
}

/** Throws HostError where a script did nothing, because of the lock or the disk. */
export const refused = (connection: Connection, code: number, framed: readonly Framed[]): void => {
  const { name } = connection.host
  const said = framed.find(({ event }) => event === 'lock')?.body.toString() ?? ''
  if (code === LOCKED) throw lockedError(name, said)
  if (code === 76) {
    throw new HostError(
      name,
      `changed by run ${said.trim() || '(unknown)'} after this run had read it; nothing was done`,
      {
        task: 'lock',
        hint: 'Run again: the plan will start from what is there now.',
      },
    )
  }
  if (code === 77)
    throw new HostError(name, `nothing can be written below ${STATE}; nothing was done`, {
      task: 'lock',
      hint: 'Is the disk full or read-only?',
    })
}

export const cutOff = (
  connection: Connection,
  framed: readonly Framed[],
  steps: readonly Numbered[],
  stderr: string,
): LinkError => {
  const last = framed.findLast(({ event }) => event === 'step')
  const at = last ? steps[Number(last.detail)]?.step.title : undefined
  return new LinkError(
    connection.host.name,
    `the script ended before its end${at ? `, in “${at}”` : ''}${stderr ? `: ${stderr.trim()}` : ''}`,
    {
      hint: 'Run again: what is already right will be left alone.',
    },
  )
}

const outcomes = (
  host: PlannedHost,
  framed: readonly Framed[],
  steps: readonly Numbered[],
  { reading, ms }: { reading: Reading; ms: number },
): HostOutcomes => {
  const codes = codesOf(framed)
  const failed = failedStep(framed)
  const undone = undoneOf(framed)
  return Object.fromEntries(
    host.planned.map((planned): [string, Outcome] => {
      const id = taskId(planned.item.task)
      const mine = steps.flatMap(({ owner }, index) => (owner === planned ? [index] : []))
      if (failed !== undefined && mine.includes(failed)) {
        const said = outputOf(framed, failed) || `“${steps[failed]?.step.title}” ended with code ${codes.get(failed)}`
        return [id, { status: 'failed', ms, why: said, hint: afterFailure(undone) }]
      }
      if (mine.some((index) => !codes.has(index)))
        return [id, { status: 'skipped', because: 'an earlier task of this host failed' }]
      if (mine.some((index) => undone.has(index))) {
        const clean = mine.every((index) => (undone.get(index) ?? 0) === 0)
        return [
          id,
          clean
            ? { status: 'skipped', because: 'taken back after a later task failed' }
            : { status: 'failed', ms, why: 'could not be taken back after a later task failed' },
        ]
      }
      const left = compare(planned.item.task, reading.states.get(id) ?? null)
      if (!left) return [id, { status: 'changed', ms }]
      return [id, { status: 'failed', ms, why: `read back after the change: ${why(left)}` }]
    }),
  )
}

const codesOf = (framed: readonly Framed[]): ReadonlyMap<number, number> => new Map(numbersOf(framed, 'code'))

/** For each step that was taken back, the worse code of its undo and its restore: a restart that goes well does not make a file old again. */
const undoneOf = (framed: readonly Framed[]): ReadonlyMap<number, number> =>
  new Map(
    [...Map.groupBy(numbersOf(framed, 'undone'), ([index]) => index)].map(([index, both]) => [
      index,
      Math.max(...both.map(([, code]) => code)),
    ]),
  )

/** The step and the code that each event of this name has. */
const numbersOf = (framed: readonly Framed[], name: string): readonly (readonly [number, number])[] =>
  framed.filter(({ event }) => event === name).map(({ detail }) => detail.split(' ').map(Number) as [number, number])

const failedStep = (framed: readonly Framed[]): number | undefined =>
  [...codesOf(framed)].find(([, code]) => code !== 0)?.[0]

const afterFailure = (undone: ReadonlyMap<number, number>): string =>
  [...undone.values()].every((code) => code === 0)
    ? 'The changes made before it on this host were taken back; what was in force still is.'
    : 'Some changes made before it could not be taken back: see the run’s events.'
