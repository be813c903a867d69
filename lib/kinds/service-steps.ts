import { posix } from 'node:path'
import type { Step } from '../model.ts'
import { word, words } from '../shell.ts'
import { MANIFEST } from './release-manifest.ts'
import { adoptedPath, loadStampPath, pendingPath, stampPath } from './service-probe.ts'

/** A unit, the files whose content counts for its start, and those that it reads again on a reload. */
export interface Startable {
  readonly unit: string
  readonly starts: readonly string[]
  readonly loads: readonly string[]
}

const STOP = `systemctl stop -- "$unit"
  systemctl reset-failed -- "$unit" 2>/dev/null || :`

/** Removes a mask; the file behind a mask is the unit's matter. */
export const unmask = (unit: string): Step => ({
  title: `unmask ${unit}`,
  run: `systemctl unmask --quiet -- ${word(unit)}`,
})

/** Makes a unit start at boot, or not. */
export const enable = (unit: string, on: boolean): Step => ({
  title: `${on ? 'enable' : 'disable'} ${unit}`,
  run: `systemctl ${on ? 'enable' : 'disable'} --quiet -- ${word(unit)}`,
  undo: `systemctl ${on ? 'disable' : 'enable'} --quiet -- ${word(unit)}`,
})

/** Stops a unit, and forgets a failure. */
export const stop = (unit: string, wasRunning: boolean): Step => ({
  title: `stop ${unit}`,
  run: `unit=${word(unit)}\n${STOP}`,
  restore: wasRunning ? `systemctl start -- ${word(unit)}` : undefined,
  interrupts: wasRunning,
})

/** Starts a unit that isn't up; when it doesn't stay up it is stopped again. */
export const start = (what: Startable): Step => ({
  title: `start ${what.unit}`,
  run: `${begin(what, UNIT_IF_NEWER)}${staysUp(STOP)}${stamp}`,
  undo: `unit=${word(what.unit)}\n${STOP}`,
})

/** Restarts a unit; taken back, it is restarted once more, from the restored files. */
export const restart = (what: Startable, wasRunning: boolean): Step => ({
  title: `restart ${what.unit}`,
  run: `${begin(what, READ_UNIT)}${staysUp(':')}${stamp}`,
  undo: markPending(what.unit, 'restart'),
  restore: wasRunning
    ? `${begin(what, READ_UNIT)}${staysUp(':')}${stamp}`
    : `systemctl restart -- ${word(what.unit)} || :`,
  logTail: `journalctl --sync 2>/dev/null || :
journalctl --quiet --no-pager --output=cat --lines=20 --unit=${word(what.unit)}`,
  interrupts: wasRunning,
})

interface Adoption {
  /** The release's binary that it must run. */
  readonly executable: string
  /** Of the command that it must have been started with. */
  readonly digest: string
  readonly reloads: boolean
}

/**
 * Goes on with a process that others have started where it runs the very binary of the release, as the account of the unit: it reads its files again, and what else the unit
 * says comes in force with its next start. Where it runs another binary, it is restarted.
 */
export const adoptOrRestart = (what: Startable, { executable, digest, reloads }: Adoption): Step => {
  const restarted = restart(what, true)
  const [unitFile = ''] = what.starts
  const isRight = `unit=${word(what.unit)}
pid=$(systemctl show --property=MainPID --value -- "$unit")
sum=$(sed -n ${word(`s/^binary \\([0-9a-f]*\\) ${posix.basename(executable)}$/\\1/p`)} ${word(posix.join(posix.dirname(executable), MANIFEST))} 2>/dev/null || :)
account=$(sed -n 's/^User=//p' ${word(unitFile)} | tail -n 1)
adopt=
if [ -n "$sum" ] && [ "$pid" != 0 ] && [ "$(stat -Lc %U "/proc/$pid")" = "$account" ] &&
  [ "$(sha256sum <"/proc/$pid/exe")" = "$sum  -" ]; then adopt=yes; fi
`
  return {
    ...restarted,
    title: `go on with ${what.unit} as it runs, or restart it where it runs another binary`,
    run: `${isRight}if [ -n "$adopt" ]; then
stamp=${word(stampPath(what.unit))}
${hashLoads(what.unit, what.loads)}sha256sum -z -- ${words(what.starts)} >"$stamp.new" || :
${READ_UNIT}
${reloads && what.loads.length > 0 ? reloaded : ''}${stamp}
printf '%s\\0%s\\0' "$id" ${digest} >${word(adoptedPath(what.unit))}
else
rm -f ${word(adoptedPath(what.unit))}
${restarted.run}
fi`,
    restore: `if [ -f ${word(adoptedPath(what.unit))} ]; then
rm -f ${word(adoptedPath(what.unit))}
${READ_UNIT}
systemctl reload-or-restart -- ${word(what.unit)} || :
rm -f ${word(pendingPath(what.unit))}
else
${restarted.restore}
fi`,
  }
}

/** Makes a running process read its files again. */
export const reload = ({ unit, loads }: Startable): Step => {
  const run = `unit=${word(unit)}
${hashLoads(unit, loads)}${reloaded}${stampLoads}rm -f ${word(pendingPath(unit))}`
  return { title: `reload ${unit}`, run, undo: markPending(unit, 'reload'), restore: run }
}

const markPending = (unit: string, what: 'restart' | 'reload'): string =>
  `( umask 077; mkdir -p /run/vestal/services )\nprintf '${what}\\0' >${word(pendingPath(unit))}`

/** Before a restart always: systemd only sees that a unit file is newer than the one it read, not that an older one was put back. */
const READ_UNIT = 'systemctl daemon-reload'
const UNIT_IF_NEWER = `if [ "$(systemctl show --property=NeedDaemonReload --value -- "$unit")" = yes ]; then ${READ_UNIT}; fi`

/** The files are hashed before the start: a later change of them is then a difference, never overlooked. */
const begin = ({ unit, starts, loads }: Startable, readUnit: string): string => `unit=${word(unit)}
stamp=${word(stampPath(unit))}
${hashLoads(unit, loads)}sha256sum -z -- ${words(starts)} >"$stamp.new" || :
${readUnit}
systemctl reset-failed -- "$unit" 2>/dev/null || :
started=yes
systemctl restart -- "$unit" || started=
`

/** Five looks in a second must see the same process; a service that crashes and is started again by systemd shows another. */
const staysUp = (otherwise: string): string => `seen= up=0
for look in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
  [ -n "$started" ] || break
  sleep 0.2
  now=$(systemctl show --property=ActiveState --property=MainPID --property=InvocationID -- "$unit")
  case $now in
    *ActiveState=failed*) break ;;
    *ActiveState=active*) if [ "$now" = "$seen" ]; then up=$((up + 1)); else up=1; fi ;;
    *) up=0 ;;
  esac
  seen=$now
  [ "$up" -lt 5 ] || break
done
if [ "$up" -lt 5 ]; then
  printf '%s does not stay up; its last words:\\n' "$unit" >&2
  ${logTail}
  ${otherwise}
  exit 1
fi
`

/** Tied to the time at which systemd saw this start or reload: after any other one, the note says nothing. */
const stampLoads = `at=$(TZ=UTC systemctl show --timestamp=us --property=StateChangeTimestamp --value -- "$unit")
{ printf '%s\\0' "$at"; cat "$loaded.new"; } >"$loaded.whole"
mv -f "$loaded.whole" "$loaded"
rm -f "$loaded.new"
`

const stamp = `${stampLoads}id=$(systemctl show --property=InvocationID --value -- "$unit")
{ printf '%s\\0' "$id"; cat "$stamp.new"; } >"$stamp.whole"
mv -f "$stamp.whole" "$stamp"
rm -f "$stamp.new" "$stamp.pending"`

const hashLoads = (unit: string, loads: readonly string[]): string => `loaded=${word(loadStampPath(unit))}
( umask 077; mkdir -p /run/vestal/services )
${loads.length === 0 ? ':' : `sha256sum -z -- ${words(loads)}`} >"$loaded.new" 2>/dev/null || :
`

const logTail = `journalctl --sync 2>/dev/null || :
  journalctl --quiet --no-pager --output=cat --lines=20 --unit="$unit" >&2 || :`

const reloaded = `systemctl reload -- "$unit"
sleep 0.2
if ! systemctl is-active --quiet -- "$unit"; then
  printf '%s did not survive the reload\\n' "$unit" >&2
  ${logTail}
  exit 1
fi
`
