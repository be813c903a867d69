/** Vestal's command line and the lab's hosts, as the end-to-end tests use them. */
import { spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunEvent } from '../../lib/engine/events.ts'
import type { Outcome } from '../../lib/lab/command.ts'
import { labExec } from '../../lib/lab/ssh.ts'
import type { Plan, RunReport } from '../../lib/model.ts'
import { testLab } from './lab-setup.ts'

/** How a command ended. */
export interface Ended {
  /** Null where a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** What `--json` printed line by line; none without it. */
  readonly events: readonly RunEvent[]
}
/** A command that runs. */
export interface Running {
  readonly pid: number
  readonly ended: Promise<Ended>
  kill(signal: NodeJS.Signals): void
}
export interface VestalOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Words in front of the command, such as `nsenter …`. */
  readonly through?: readonly string[]
  /** What runs in place of `vestal`, with the same words. */
  readonly program?: readonly string[]
  /** Called with each event of `--json` as it comes. */
  readonly onEvent?: (event: RunEvent, running: Running) => void
  /** Called with all that came on standard error so far, each time more has come. */
  readonly onStderr?: (said: string) => void
}

/** The project's folder, where tests are run from. */
export const project = join(import.meta.dirname, '../..')
/** Where the runs of this test file leave their folders. */
export const runs = mkdtempSync(join(tmpdir(), 'vestal-runs-'))

const ours = [process.execPath, join(project, 'cli/vestal.js')]

/** Runs `vestal` with these words to its end. */
export const vestal = (words: readonly string[], options: VestalOptions = {}): Promise<Ended> =>
  startVestal(words, options).ended

/** Starts `vestal` with these words. */
export const startVestal = (
  words: readonly string[],
  { env, cwd, through = [], program = ours, onEvent, onStderr }: VestalOptions = {},
): Running => {
  const [file = '', ...rest] = [...through, ...program, ...words]
  const child = spawn(file, rest, {
    cwd,
    env: { ...process.env, NO_COLOR: '1', VESTAL_LAB: testLab, VESTAL_RUNS: runs, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const { promise: ended, resolve, reject } = Promise.withResolvers<Ended>()
  const running: Running = { pid: child.pid ?? 0, ended, kill: (signal) => void child.kill(signal) }
  const events: RunEvent[] = []
  let [stdout, stderr, pending] = ['', '', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    const lines = (pending + text).split('\n')
    pending = lines.pop() ?? ''
    for (const event of lines.flatMap(eventIn)) {
      events.push(event)
      onEvent?.(event, running)
    }
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    onStderr?.(stderr)
  })
  child.once('error', reject).once('close', (code) => resolve({ code, stdout, stderr, events }))
  return running
}

/** What `plan --json` printed. Throws an Error with its words where that was no plan. */
export const planOf = ({ code, stdout, stderr }: Ended): Plan => {
  if (code !== 0 && code !== 3) throw new Error(`plan ended with ${code}:\n${stdout}${stderr}`)
  return JSON.parse(stdout)
}

/** The ids of the tasks that a plan would change, by host; hosts without any are left out. */
export const changesOf = ({ batches }: Plan): Readonly<Record<string, readonly string[]>> => {
  const hosts = Map.groupBy(
    batches.flatMap((batch) => batch.hosts),
    ({ host }) => host,
  )
  return Object.fromEntries(
    [...hosts].map(([host, plays]) => [host, plays.flatMap(({ changes }) => changes.map(({ task }) => task))]),
  )
}

/** The report of `deploy --json`. Throws an Error with its words where there is none. */
export const reportOf = ({ code, stdout, stderr, events }: Ended): RunReport => {
  const last = events.findLast((event) => event.event === 'run-ended')
  if (last?.event === 'run-ended') return last.report
  throw new Error(`the run ended with ${code} and without a report:\n${stdout}${stderr}`)
}

/** Runs a shell command on a lab host as root, over a plain SSH of its own. Throws an Error unless it exits 0. */
export const onHost = async (address: string, command: string, input = ''): Promise<string> => {
  const { code, stdout, stderr }: Outcome = await labExec(address, command, { lab: testLab, input })
  if (code !== 0) throw new Error(`'${command}' on ${address} ended with ${code}: ${stderr || stdout}`)
  return stdout
}

/** Brings a lab host back to where no deploy has ever been, without a reboot. */
export const resetHost = (address: string): Promise<string> => onHost(address, 'sh -s', RESET)

const SERVICES = [
  ...['prometheus', 'prometheus-agent', 'alertmanager', 'cortex-alertmanager', 'node_exporter'],
  ...[
    'thanos-sidecar',
    'thanos-query',
    'thanos-query-relay',
    'gateway',
    'gateway-address',
    'thanos-rule',
    'thanos-rule-query',
  ],
  ...['thanos-rule-shard-0', 'thanos-rule-shard-1'],
]
const BINARIES = [...SERVICES, 'promtool', 'amtool', 'cortex', 'thanos']
const USERS = ['prometheus', 'prometheus-agent', 'alertmanager', 'cortex', 'node-exp', 'thanos', 'gateway-address']

const RESET = `
systemctl kill --signal=KILL ${SERVICES.join(' ')} 2>/dev/null
systemctl unmask --quiet ${SERVICES.join(' ')} 2>/dev/null
systemctl disable --now --quiet ${SERVICES.join(' ')} 2>/dev/null
cd /etc/systemd/system && rm -rf ${SERVICES.map((name) => `${name}.service ${name}.service.d .${name}.service.vestal-new`).join(' ')}
systemctl daemon-reload
systemctl reset-failed
cd / && rm -rf /etc/vestal /opt/vestal /run/vestal /var/lib/vestal ${SERVICES.map((name) => `/etc/${name} /var/lib/${name}`).join(' ')}
cd /usr/local/bin && rm -f ${BINARIES.map((name) => `${name} .${name}.vestal-new`).join(' ')}
for file in $(grep -lx 'X-Vestal=exporter' /etc/systemd/system/*.service 2>/dev/null); do
  name=\${file##*/}
  name=\${name%.service}
  systemctl disable --now --quiet "$name.service"
  user=$(sed -n 's/^User=//p' "$file")
  rm -rf "$file" "/etc/$name" "/usr/local/bin/$name"
  if [ "$user" != root ] && getent passwd "$user" >/dev/null; then userdel "$user"; fi
done
systemctl daemon-reload
for user in ${USERS.join(' ')}; do
  if getent passwd "$user" >/dev/null; then userdel "$user"; fi
  if getent group "$user" >/dev/null; then groupdel "$user"; fi
done
exit 0
`

const eventIn = (line: string): readonly RunEvent[] => {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && 'event' in value ? [value as RunEvent] : []
  } catch {
    return []
  }
}
