/**
 * The undo of a fault, on the machine before the fault is: a script of its own, and a timer of systemd that runs it when its time is up, whoever is gone by then.
 * Both are files, so that a machine that starts anew meanwhile undoes it too, so long after its start. What could not be undone is tried again every few
 * seconds; once it is, script and timer remove themselves. Pure: shell is returned, none is run.
 */
import { STATE } from '../host-paths.ts'
import { word } from '../shell.ts'
import type { ChangeFault, MachineFault } from './fault.ts'

const FOLDER = `${STATE}/drill`
const UNITS = '/etc/systemd/system'
/** Harm and undo of one machine never run at the same time. */
const LOCK = 'mkdir -p /run/vestal\nexec 9>/run/vestal/drill.lock\nflock 9'

/** What a fault is called on its machine: a word for file names, units and tables of a packet filter. */
export const faultId = (run: string, number: number): string =>
  `${run.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')}_${number}`

/** Shell that arms the undo: it happens after so many seconds at the latest. */
export const armScript = (id: string, fault: MachineFault, seconds: number): string => `set -eu
umask 077
mkdir -p ${FOLDER}
printf '%s' ${word(undoFile(id, fault))} >${FOLDER}/${id}.new
mv -f ${FOLDER}/${id}.new ${scriptOf(id)}
printf '%s' ${word(serviceFile(id, fault))} >${unitOf(id, 'service')}
printf '%s' ${word(timerFile(seconds))} >${unitOf(id, 'timer')}
chmod 0644 ${unitOf(id, 'service')} ${unitOf(id, 'timer')}
systemctl daemon-reload
systemctl --quiet enable --now vestal-drill-${id}.timer
systemctl --quiet is-active vestal-drill-${id}.timer
sync -f ${FOLDER}`

/** Shell that does the harm; refuses where its undo is not armed, or was done already. */
export const harmScript = (id: string, fault: MachineFault): string => `set -eu
vestal_drill=${id}
${LOCK}
if ! [ -e ${scriptOf(id)} ] || ! systemctl --quiet is-active vestal-drill-${id}.timer; then
  echo 'its undo is not armed any more' >&2
  exit 1
fi
${fault.harm}`

/** Shell that undoes a fault now and disarms it; exits 0 where there is nothing left to undo. */
export const healScript = (id: string): string => `if [ -e ${scriptOf(id)} ]; then sh ${scriptOf(id)}; fi`

/** Shell that undoes whatever drills have left on a machine, and prints the names of what it undid, a line each. Exits 1 where something could not be. */
export const healAllScript = `code=0
for script in ${FOLDER}/*.sh; do
  [ -e "$script" ] || continue
  name=$(sed -n '2s/^# //p' "$script")
  if sh "$script"; then printf '%s\\n' "$name"; else code=1; fi
done
exit $code`

/** Shell that prints the names of faults that are armed or were not undone, a line each, those of changes too. */
export const leftScript = `for script in ${FOLDER}/*.sh; do [ -e "$script" ] && sed -n '2s/^# //p' "$script"; done
cat ${FOLDER}/*.change 2>/dev/null; :`

/** Shell that writes down that the fleet is being changed: no machine could undo that by itself, as it knows nothing of the inventory. */
export const noteChangeScript = (id: string, { name }: Pick<ChangeFault, 'name'>): string => `set -eu
umask 077
mkdir -p ${FOLDER}
printf '%s\\n' ${word(oneLine(name))} >${FOLDER}/${id}.change
sync -f ${FOLDER}`

/** Shell that prints the names of changes that were not taken back, a line each. */
export const changesScript = `cat ${FOLDER}/*.change 2>/dev/null; :`

/** Shell after which a change, or each of them, is known no more: the fleet is as its inventory says. */
export const forgetChangeScript = (id?: string): string => `rm -f ${FOLDER}/${id ?? '*'}.change
rmdir ${FOLDER} 2>/dev/null; :`

const scriptOf = (id: string): string => `${FOLDER}/${id}.sh`
const unitOf = (id: string, kind: 'service' | 'timer'): string => `${UNITS}/vestal-drill-${id}.${kind}`

/** Its second line says what it undoes. */
const undoFile = (id: string, { name, undo }: MachineFault): string => `#!/bin/sh
# ${oneLine(name)}
# Undoes the above, which \`vestal drill\` did. Written before it was done.
vestal_drill=${id}
${LOCK}
[ -e ${scriptOf(id)} ] || exit 0
( set -eu
${undo}
) 9>&- || exit 1
# The timer first: one whose service is gone is a unit that failed. So is a service that is tried again, unless it is this script that it runs.
systemctl stop vestal-drill-${id}.timer 2>/dev/null
[ "\${1:-}" = by-itself ] || systemctl stop vestal-drill-${id}.service 2>/dev/null
rm -f ${UNITS}/timers.target.wants/vestal-drill-${id}.timer ${unitOf(id, 'timer')} ${unitOf(id, 'service')}
systemctl daemon-reload
systemctl reset-failed vestal-drill-${id}.service 2>/dev/null
rm -f ${scriptOf(id)}
rmdir ${FOLDER} 2>/dev/null
exit 0
`

const serviceFile = (id: string, { name }: MachineFault): string => `# Written by vestal drill; removes itself.
[Unit]
Description=Undoes: ${oneLine(name).replaceAll('%', '%%')}
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=/bin/sh ${scriptOf(id)} by-itself
Restart=on-failure
RestartSec=5
`

const timerFile = (seconds: number): string => `# Written by vestal drill; removes itself.
[Timer]
OnActiveSec=${seconds}
AccuracySec=1s

[Install]
WantedBy=timers.target
`

const oneLine = (text: string): string => text.replaceAll(/[^\x20-\x7e]+/g, ' ')
