import { readFileSync } from 'node:fs'

/** The lock of another run, with this process for its session and, where there is one, that process for the script which works there. */
export const bobsLock = (script?: number): string => {
  const lines = ['run=run-of-bob', 'owner=bob@lap', 'since=2026-01-01T00:00:00Z', `session=${named(process.pid)}`]
  return [...lines, ...(script === undefined ? [] : [`script=${named(script)}`]), ''].join('\n')
}

/** A process as a lock names it: its id and when it was started, field 22 of proc(5)'s stat. */
const named = (pid: number): string =>
  `${pid} ${readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19]}`
