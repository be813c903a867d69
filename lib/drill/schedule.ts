/** Drills that a timer of systemd holds on this machine. Pure: the texts of units, and what one says of its schedule. */
import { z } from 'zod'
import { execStart } from '../program/release.ts'
import { word } from '../shell.ts'

/** What is held when, as its unit has it. */
export type Schedule = z.output<typeof form>
const form = z.object({
  name: z.string(),
  /** Scenarios, or `routes` and receivers, with the flags they are held with. */
  what: z.array(z.string()),
  inventory: z.array(z.string()),
  /** As systemd reads it: `Mon 10:00`. */
  at: z.string(),
  /** The folder of node_exporter's text files; null for no metrics. */
  textfile: z.string().nullable(),
})

export interface Where {
  /** Node, and the file that it runs. */
  readonly program: readonly string[]
  readonly workingFolder: string
  /** Where runs are kept. */
  readonly runs: string
  /** A file of `NAME=VALUE` lines, read where it is there: secrets that the inventory takes from its environment. */
  readonly environmentFile: string
}

export const NAME = /^[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?$/
const PREFIX = 'vestal-drill-schedule-'
const MARK = '# schedule '

export const unitName = (name: string, kind: 'service' | 'timer'): string => `${PREFIX}${name}.${kind}`
/** The names of schedules among these files. */
export const namesAmong = (files: readonly string[]): readonly string[] =>
  files.flatMap((file) =>
    file.startsWith(PREFIX) && file.endsWith('.timer') ? [file.slice(PREFIX.length, -'.timer'.length)] : [],
  )

/** The files of metrics of a schedule: what its runs came to, and how the command itself ended. */
export const metricsFiles = (name: string): { readonly runs: string; readonly end: string } => ({
  runs: `vestal-drill-${name}.prom`,
  end: `vestal-drill-${name}-end.prom`,
})

/** The service that holds it. A stop is an interrupt: it undoes what is done, and waits for that. */
export const serviceText = (schedule: Schedule, { program, workingFolder, runs, environmentFile }: Where): string => {
  const { name, what, inventory, textfile } = schedule
  const files = metricsFiles(name)
  const command = [
    ...program,
    'drill',
    ...what,
    ...inventory.flatMap((path) => ['-i', path]),
    '--yes',
    '--pages',
    ...(textfile === null ? [] : ['--metrics', `${textfile}/${files.runs}`]),
  ]
  return [
    '# Written by vestal drill schedule; vestal drill schedule remove takes it away.',
    `${MARK}${JSON.stringify(schedule)}`,
    '[Unit]',
    `Description=Drill: ${oneLine(what.join(' '))}`,
    'Wants=network-online.target',
    'After=network-online.target',
    '',
    '[Service]',
    'Type=oneshot',
    'TimeoutStartSec=infinity',
    'KillSignal=SIGINT',
    'KillMode=mixed',
    'TimeoutStopSec=5min',
    `WorkingDirectory=${workingFolder.replaceAll('%', '%%')}`,
    `Environment=${quoted(`VESTAL_RUNS=${runs}`)}`,
    `EnvironmentFile=-${environmentFile}`,
    `ExecStart=${execStart(command)}`,
    ...(textfile === null
      ? []
      : [`ExecStopPost=${execStart(['/bin/sh', '-c', endScript(name, `${textfile}/${files.end}`)])}`]),
    '',
  ].join('\n')
}

/** A drill that was missed, as the machine was off, is not made up for: somebody has chosen the hour. */
export const timerText = ({ name, at }: Pick<Schedule, 'name' | 'at'>): string =>
  [
    '# Written by vestal drill schedule.',
    '[Timer]',
    `OnCalendar=${at}`,
    'AccuracySec=1s',
    `Unit=${unitName(name, 'service')}`,
    '',
    '[Install]',
    'WantedBy=timers.target',
    '',
  ].join('\n')

/** What a service's text says of its schedule; null for one that is none of these. */
export const scheduleIn = (text: string): Schedule | null => {
  const line = text.split('\n').find((one) => one.startsWith(MARK))
  if (line === undefined) return null
  try {
    return form.safeParse(JSON.parse(line.slice(MARK.length))).data ?? null
  } catch {
    return null
  }
}

/** Written however the command ended: one that could not even begin is seen too. A signal has no number: 255. */
const endScript = (name: string, file: string): string =>
  `case "$EXIT_STATUS" in ''|*[!0-9]*) code=255 ;; *) code=$EXIT_STATUS ;; esac
umask 022
printf '%s\\n' '# HELP vestal_drill_schedule_exit_code How the last drill of this schedule ended: 0 where all held.' '# TYPE vestal_drill_schedule_exit_code gauge' "vestal_drill_schedule_exit_code{schedule=\\"${name}\\"} $code" '# HELP vestal_drill_schedule_end_timestamp_seconds When it ended.' '# TYPE vestal_drill_schedule_end_timestamp_seconds gauge' "vestal_drill_schedule_end_timestamp_seconds{schedule=\\"${name}\\"} $(date +%s)" >${word(`${file}.new`)}
mv -f ${word(`${file}.new`)} ${word(file)}`

const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&').replaceAll('%', '%%')}"`
const oneLine = (text: string): string => text.replaceAll(/[^\x20-\x7e]+/g, ' ').replaceAll('%', '%%')
