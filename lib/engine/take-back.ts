import { randomBytes } from 'node:crypto'
import type { Connection, Outcome } from '../model.ts'
import { taskId } from '../model.ts'
import { type ConvergeOptions, cutOff, type HostOutcomes, refused } from './converge.ts'
import { frame } from './frame.ts'
import { liveSteps, numberedSteps } from './live-steps.ts'
import type { PlannedHost } from './plan.ts'
import { readProbe } from './probe.ts'
import { takeBackScript } from './script.ts'

/** True for a host on which something that served was changed: what it ran before can be brought back. A first install is left as it is. */
export const canTakeBack = (host: PlannedHost): boolean =>
  host.planned.some(({ steps }) => steps.some(({ restore }) => restore !== undefined))

/**
 * Takes a host's finished change back in one exec, as a failed step does: files, links and units as they were before, then a restart
 * or reload from them. Returns an outcome for each change, and what its services had
 * said last. Throws HostError or LinkError where the script could not do its work.
 */
export const takeBack = async (
  connection: Connection,
  host: PlannedHost,
  { because, ...options }: ConvergeOptions & { readonly because: string },
): Promise<{ readonly outcomes: HostOutcomes; readonly said: string }> => {
  const steps = numberedSteps(host)
  const marks = frame(randomBytes(8).toString('hex'))
  const verify = host.work.items.map((item) => item.task)
  const script = takeBackScript(
    {
      steps: steps.map(({ step }) => step),
      verify,
      lock: options.lock,
      lastRun: options.lastRun,
      instance: connection.host.machine.instance,
    },
    marks,
  )
  const startedAt = Date.now()
  const answer = await connection.exec(script, {
    signal: options.signal,
    onStdout: liveSteps(connection.host.name, steps, marks, options.emit),
  })
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
  const codes = framed.filter(({ event }) => event === 'undone').map(({ detail }) => detail.split(' ').map(Number))
  const broken = new Set(codes.flatMap(([index, code]) => (code === 0 ? [] : [steps[index ?? -1]?.owner])))
  const outcomes = Object.fromEntries(
    host.planned.map((planned): [string, Outcome] => [
      taskId(planned.item.task),
      broken.has(planned)
        ? {
            status: 'failed',
            ms: receivedAt - startedAt,
            why: `could not be taken back: ${because}`,
            hint: 'See the run’s events for what its steps said.',
          }
        : { status: 'skipped', because: `taken back: ${because}` },
    ]),
  )
  const said = framed.filter(({ event }) => event === 'words').map(({ body }) => body.toString())
  return { outcomes, said: complaint(said.join('\n')) }
}

/** The last line that speaks of an error, or the last one at all. */
export const complaint = (said: string): string => {
  const lines = said
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !SYSTEMD.test(line))
  return lines.findLast((line) => /\berr(or)?\b|fatal|panic|fail/i.test(line)) ?? lines.at(-1) ?? ''
}

/** What systemd says of a unit, not the program. */
const SYSTEMD = /^(\S+\.service: |(Started|Starting|Stopped|Stopping|Failed to start) )/
