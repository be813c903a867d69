import { randomBytes } from 'node:crypto'
import { HostError, LinkError } from '../errors.ts'
import type { Connection, Duration, Facts, Host, Lock, Task } from '../model.ts'
import { archMistake, OLDEST_SYSTEMD, systemdMistake } from './facts.ts'
import { type Frame, frame } from './frame.ts'
import { awaitScript, endScript, holderIn, LOCKED, lockedBy } from './lock.ts'
import { probeScript, type Reading, readProbe } from './probe.ts'

/** A minute of waiting for another run's script is in it. */
const LONGEST: Duration = '4m'

export interface ReadOptions {
  readonly signal?: AbortSignal
  /**
   * Not before a script that works there under another run's lock has ended; or, `ended`, once that script was ended. Without it, the reading
   * may be of a moment within a change.
   */
  readonly settled?:
    | 'ended'
    | {
        /** Called at once with whom it waits for. */
        onLocked(lock: Lock): void
        /** How often it looks, each 0.2 s. Default: for a minute. */
        readonly tries?: number
      }
}

/**
 * Reads a host's facts and the state behind all its tasks in one exec, and waits in the same one where it is to be settled.
 * Throws HostError where what the host says cannot be understood or contradicts the inventory, or another run's script does not end.
 */
export const readHost = async (
  connection: Connection,
  tasks: readonly Task[],
  { signal, settled }: ReadOptions = {},
): Promise<Reading> => {
  const { name } = connection.host
  const marks = frame(randomBytes(8).toString('hex'))
  const waits = settled === 'ended' ? undefined : settled
  const first = settled === 'ended' ? endScript : waits && awaitScript(marks, waits.tries)
  const script = probeScript(tasks, marks, first)
  const sentAt = Date.now()
  const { stdout, stderr, code } = await connection.exec(script, {
    signal,
    within: LONGEST,
    onStdout: waits && tellLocked(marks, waits.onLocked),
  })
  const holder = lastHolder(marks, stdout)
  if (code === LOCKED && holder) throw lockedBy(name, holder)
  const receivedAt = Date.now()
  // The half of a round trip by which the clocks are compared has no waiting in it.
  const reading = readProbe(tasks, marks, { host: name, stdout, sentAt: holder ? receivedAt : sentAt, receivedAt })
  if (!reading) {
    throw new LinkError(name, `the reading was cut off (exit code ${code})${stderr ? `: ${stderr.trim()}` : ''}`, {
      task: 'read',
    })
  }
  confirm(connection.host, reading.facts, tasks)
  return reading
}

const lastHolder = (marks: Frame, stdout: Buffer): Lock | undefined => {
  const mark = marks.split(stdout).findLast(({ event }) => event === 'locked')
  return mark && holderIn(mark.detail)
}

/** Tells of each mark `locked` as it comes; they stand before all else. */
const tellLocked = (marks: Frame, tell: (lock: Lock) => void): ((chunk: Buffer) => void) => {
  let reading = false
  return marks.follow(({ event, detail }) => {
    reading ||= event === 'facts'
    if (!reading && event === 'locked') tell(holderIn(detail))
  })
}

const confirm = (host: Host, facts: Facts, tasks: readonly Task[]): void => {
  const otherArch = archMistake(host, facts)
  if (otherArch !== null) {
    throw new HostError(host.name, otherArch, {
      task: 'facts',
      hint: `Set \`vestal: {arch: ${facts.arch}}\` for this host.`,
    })
  }
  if (!tasks.some(({ kind }) => kind.name === 'service' || kind.name === 'unit')) return
  const found = systemdMistake(facts)
  if (found !== null) {
    throw new HostError(host.name, `${found}; services need systemd ${OLDEST_SYSTEMD} or later`, { task: 'facts' })
  }
}
