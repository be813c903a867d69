import { randomBytes } from 'node:crypto'
import { HostError, LinkError } from '../errors.ts'
import type { Connection, Facts, Host, Task } from '../model.ts'
import { frame } from './frame.ts'
import { probeScript, type Reading, readProbe } from './probe.ts'

/** Below this, `systemctl show` gives no times with microseconds, on which knowing what a process has loaded rests. */
const OLDEST_SYSTEMD = 247

/** Reads a host's facts and the state behind all its tasks in one exec. Throws HostError where a fact contradicts the inventory. */
export const readHost = async (
  connection: Connection,
  tasks: readonly Task[],
  signal?: AbortSignal,
): Promise<Reading> => {
  const marks = frame(randomBytes(8).toString('hex'))
  const sentAt = Date.now()
  const { stdout, stderr, code } = await connection.exec(probeScript(tasks, marks), { signal })
  const reading = readProbe(tasks, marks, { stdout, sentAt, receivedAt: Date.now() })
  if (!reading) {
    throw new LinkError(
      connection.host.name,
      `the reading was cut off (exit code ${code})${stderr ? `: ${stderr.trim()}` : ''}`,
      { task: 'read' },
    )
  }
  confirm(connection.host, reading.facts, tasks)
  return reading
}

const confirm = (host: Host, facts: Facts, tasks: readonly Task[]): void => {
  if (facts.arch !== host.machine.arch) {
    throw new HostError(host.name, `its architecture is ${facts.arch}, the inventory says ${host.machine.arch}`, {
      task: 'facts',
      hint: `Set \`vestal: {arch: ${facts.arch}}\` for this host.`,
    })
  }
  if (!tasks.some(({ kind }) => kind.name === 'service' || kind.name === 'unit')) return
  if (facts.systemd < OLDEST_SYSTEMD) {
    const found = facts.systemd === 0 ? 'systemd does not run there' : `it has systemd ${facts.systemd}`
    throw new HostError(host.name, `${found}; services need systemd ${OLDEST_SYSTEMD} or later`, { task: 'facts' })
  }
}
