/** The command line run as its users run it, and the lab hosts it works on, for all end-to-end tests. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { inject } from 'vitest'
import type { RunEvent } from '../../lib/engine/events.ts'
import { labExec } from '../../lib/lab/ssh.ts'
import type { Plan, RunReport } from '../../lib/model.ts'

export const project = join(import.meta.dirname, '..', '..')
/** Where the runs of this test file leave their folders. */
export const runs = mkdtempSync(join(tmpdir(), 'vestal-runs-'))
process.once('exit', () => rmSync(runs, { recursive: true, force: true }))

export interface Ended {
  /** -1 when a signal ended it. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** What `deploy --json` said; empty for other commands. */
  readonly events: readonly RunEvent[]
}
export interface Started {
  readonly pid: number
  readonly ended: Promise<Ended>
  /** The first event, past or to come, that answers to this. Rejects when the run ends without one. */
  event(is: (event: RunEvent) => boolean): Promise<RunEvent>
}
interface StartOptions {
  readonly env?: Readonly<Record<string, string>>
  /** What runs; default: `node lib/cli/vestal.js`. */
  readonly program?: readonly string[]
}

/** Runs `vestal WORDS…` to its end, whatever its exit code. */
export const vestal = (words: readonly string[], options: StartOptions = {}): Promise<Ended> =>
  startVestal(words, options).ended

/** Starts `vestal WORDS…` in the tests' lab, from the project's folder and without a terminal. */
export const startVestal = (
  words: readonly string[],
  { env, program = [process.execPath, 'lib/cli/vestal.js'] }: StartOptions = {},
): Started => {
  const [file = '', ...rest] = [...program, ...words]
  const child = spawn(file, rest, {
    cwd: project,
    env: { ...process.env, VESTAL_LAB: inject('lab').name, VESTAL_RUNS: runs, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  const events: RunEvent[] = []
  const stderr: Buffer[] = []
  const waiting = new Set<() => void>()
  const wake = (): void => {
    for (const look of waiting) look()
  }
  const reader = createInterface({ input: child.stdout })
  reader.on('line', (line) => {
    lines.push(line)
    if (line.startsWith('{"at":')) events.push(JSON.parse(line))
    wake()
  })
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) =>
      resolve({
        code: code ?? -1,
        stdout: lines.map((line) => `${line}\n`).join(''),
        stderr: Buffer.concat(stderr).toString(),
        events,
      }),
    )
  })
  const event: Started['event'] = (is) =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = events.find(is)
        if (!found) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
      void ended.then(
        ({ stdout, stderr }) => reject(new Error(`the run ended without that event:\n${stdout}${stderr}`)),
        reject,
      )
    })
  return { pid: child.pid ?? 0, ended, event }
}

/** What `plan --json` printed. Throws an Error with its words where that was no plan. */
export const planOf = ({ code, stdout, stderr }: Ended): Plan => {
  if (code !== 0 && code !== 3) throw new Error(`plan ended with ${code}:\n${stdout}${stderr}`)
  return JSON.parse(stdout)
}

/** The ids of the tasks that a plan would change, by host; hosts without any are left out. */
export const changesOf = (plan: Plan): Readonly<Record<string, readonly string[]>> => {
  const hosts = plan.batches.flatMap((batch) => batch.hosts)
  return Object.fromEntries(
    [...Map.groupBy(hosts, ({ host }) => host)].map(([host, parts]) => [
      host,
      parts.flatMap(({ changes }) => changes.map(({ task }) => task)),
    ]),
  )
}

/** The report of `deploy --json`. Throws an Error with its words where there is none. */
export const reportOf = ({ code, stdout, stderr, events }: Ended): RunReport => {
  const last = events.findLast((event) => event.event === 'run-ended')
  if (last?.event === 'run-ended') return last.report
  throw new Error(`the run ended with ${code} and no report:\n${stdout}${stderr}`)
}

/** Runs a shell script on a lab host (its address or `lab-N`) as root and returns what it printed. Throws an Error where it fails. */
export const onHost = async (host: string, script: string): Promise<string> => {
  const { code, stdout, stderr } = await labExec(host, 'exec sh -eu -s', { lab: inject('lab').name, input: script })
  if (code !== 0) throw new Error(`on ${host}: exit code ${code}: ${stderr}${stdout}`)
  return stdout
}

/** Brings a lab host back to before any deploy, without a reboot: services, units, files, users and data of all roles are gone. */
export const resetHost = async (host: string): Promise<void> => {
  await onHost(
    host,
    `set +e
for unit in prometheus alertmanager node_exporter; do
  systemctl unmask -q $unit 2>/dev/null
  systemctl kill -s KILL $unit 2>/dev/null
  systemctl disable -q --now $unit 2>/dev/null
  rm -rf /etc/systemd/system/$unit.service /etc/systemd/system/$unit.service.d
done
systemctl daemon-reload
systemctl reset-failed
rm -rf /opt/vestal /etc/prometheus /etc/alertmanager /etc/node_exporter /run/vestal
rm -rf /var/lib/prometheus /var/lib/alertmanager /var/lib/node_exporter /var/lib/vestal
cd /usr/local/bin && rm -f prometheus promtool alertmanager amtool node_exporter
for user in prometheus alertmanager node-exp; do
  if getent passwd $user >/dev/null; then userdel $user; fi
  if getent group $user >/dev/null; then groupdel $user; fi
done
exit 0`,
  )
}
