/**
 * A host's lock: one file in /run (so a reboot clears it) that names owner, run and time. It holds while the SSH session that
 * took it lives, or the script it started; both are known by process id and start time, so a reused id is no holder. A controller
 * that dies takes its session with it, and the lock is then nobody's. A link that hangs without a sign of life for the lease is none either.
 */
import { HostError } from '../errors.ts'
import type { Lock } from '../model.ts'
import { word, words } from '../shell.ts'
import type { Frame } from './frame.ts'

const LEASE_SECONDS = 600
const FILE = '/run/vestal/lock'

/**
 * Shell functions: `vestal_lock_held` reads the lock and says whether somebody has it, `vestal_lock_at_work` whether the script that took the
 * lock last read still runs; `vestal_end_script` ends that script and what it started, by its process id and start time, first kindly, and gives
 * systemd a minute for what that had asked of it: the job of a `systemctl` that is killed goes on (a service that is stopped may still answer);
 * `vestal_session` finds the session's process. Where the host can't say how old a lock is, it counts as fresh. A zombie (state Z, proc(5)) has ended: its parent is only slow to notice.
 */
export const lockFunctions = `
vestal_started() { { IFS= read -r vestal_stat <"/proc/$1/stat"; } 2>/dev/null || return 1; set -- \${vestal_stat##*) }; vestal_state=$1; vestal_start=\${20}; vestal_parent=$2; }
vestal_alive() { [ -n "$1" ] && vestal_started "$1" && [ "$vestal_start" = "$2" ] && [ "$vestal_state" != Z ]; }
vestal_session() {
  vestal_pid=$$
  while vestal_started "$vestal_pid"; do
    case $vestal_stat in *'sh) '*|*'(sudo) '*|*'(su) '*) vestal_pid=$vestal_parent ;; *) break ;; esac
  done
}
vestal_lock_read() {
  vestal_lock_run= vestal_lock_command= vestal_lock_owner= vestal_lock_since= vestal_lock_session= vestal_lock_script= vestal_lock_touched=0
  { while IFS='=' read -r vestal_name vestal_value; do case $vestal_name in
    run) vestal_lock_run=$vestal_value ;; command) vestal_lock_command=$vestal_value ;; owner) vestal_lock_owner=$vestal_value ;; since) vestal_lock_since=$vestal_value ;;
    session) vestal_lock_session=$vestal_value ;; script) vestal_lock_script=$vestal_value ;;
  esac; done <${FILE}; } 2>/dev/null && [ -n "$vestal_lock_run" ]
}
vestal_lock_at_work() { vestal_alive \${vestal_lock_script:-0 0}; }
vestal_lock_fresh() { vestal_touched=$(stat -c %Y ${FILE} 2>/dev/null) || return 0; [ $(($(date +%s) - vestal_touched)) -lt ${LEASE_SECONDS} ]; }
vestal_tree() { printf '%s ' "$1"; for vestal_child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do vestal_tree "$vestal_child"; done; }
vestal_end_script() {
  vestal_lock_at_work || return 0
  for vestal_signal in TERM KILL; do
    kill -STOP "\${vestal_lock_script% *}" && kill -$vestal_signal $(vestal_tree "\${vestal_lock_script% *}") 2>/dev/null
    kill -CONT "\${vestal_lock_script% *}" 2>/dev/null
    vestal_try=0
    while [ $((vestal_try += 1)) -le 25 ] && vestal_lock_at_work; do sleep 0.2; done
    vestal_lock_at_work || break
  done
  vestal_try=0
  while [ $((vestal_try += 1)) -le 300 ] && [ -n "$(systemctl list-jobs --no-legend 2>/dev/null)" ]; do sleep 0.2; done
  ! vestal_lock_at_work
}
vestal_lock_held() { vestal_lock_read && { vestal_lock_at_work || { vestal_alive \${vestal_lock_session:-0 0} && vestal_lock_fresh; }; }; }`

export interface LockRequest {
  readonly run: string
  /** The command whose run it is. Its runs follow each other in one session, which outlives each: a later one takes over what an earlier one held. */
  readonly command: string
  readonly owner: string
  readonly since: string
  /** Take it even where another run holds it, whose script is ended first. */
  readonly break: boolean
}

/** The exit code of a script that did not get the lock. */
export const LOCKED = 75

/**
 * Shell that takes the lock or exits with LOCKED, printing the holder as `run`, `since` and `owner` lines. It waits ten seconds, as what
 * a killed controller had sent may still be on its way and hold its session; and a minute where only the script is left, to finish a
 * step. Needs `lockFunctions` before it.
 */
export const takeLock = (request: LockRequest): string => `
mkdir -p /run/vestal
if ! vestal_started $$; then echo '/proc cannot be read, so nobody can tell whose lock it is; is it mounted?' >&2; exit 1; fi
vestal_my_script="$$ $vestal_start"
vestal_session; vestal_started "$vestal_pid"; vestal_my_session="$vestal_pid $vestal_start"
exec 9>${FILE}.guard
vestal_tries=0
while :; do
  if ! flock 9; then echo 'flock cannot take the lock; is util-linux installed?' >&2; exit 1; fi
  if ! vestal_lock_held || [ "$vestal_lock_run" = ${word(request.run)} ]; then break; fi
  if [ "$vestal_lock_command" = ${word(request.command)} ] && ! vestal_lock_at_work; then break; fi
  ${request.break ? 'vestal_end_script && break' : ':'}
  if vestal_lock_at_work && ! vestal_alive \${vestal_lock_session:-0 0}; then vestal_limit=300; else vestal_limit=50; fi
  flock -u 9
  vestal_tries=$((vestal_tries + 1))
  if [ $vestal_tries -gt $vestal_limit ]; then
    printf '%s\\n' "$vestal_lock_run" "$vestal_lock_since" "$vestal_lock_owner"
    exit ${LOCKED}
  fi
  sleep 0.2
done
if ! { printf 'run=%s\\ncommand=%s\\nowner=%s\\nsince=%s\\nsession=%s\\nscript=%s\\n' ${words([request.run, request.command, request.owner, request.since])} "$vestal_my_session" "$vestal_my_script" >${FILE}.new && mv -f ${FILE}.new ${FILE}; }; then
  echo '${FILE} cannot be written; is /run full or read-only?' >&2; exit 1
fi
exec 9>&-`

/** Shell that gives back the lock that an earlier run of this command took; another's is left. Needs `lockFunctions` before it. */
export const freeLock = (command: string): string => `
[ -e ${FILE} ] || exit 0
exec 9>${FILE}.guard
flock 9
if vestal_lock_read && [ "$vestal_lock_command" = ${word(command)} ] && ! vestal_lock_at_work; then rm -f ${FILE}; fi`

/** How often, each 0.2 s, a read looks whether another run's script still works: for a minute. */
const TRIES = 300

/**
 * Shell that waits while a script of another run is at work under the host's lock: what it reads is of a moment within a change. It says
 * at once whom it waits for, in a mark `locked`, and exits with LOCKED where that script has not ended in time. Forks nothing where nobody works.
 * Needs `lockFunctions` before it.
 */
export const awaitScript = (frame: Frame, tries = TRIES): string => `vestal_tries=0 vestal_told=
while vestal_lock_read && vestal_lock_at_work; do
  if [ "$vestal_told" != "$vestal_lock_run" ]; then
    vestal_told=$vestal_lock_run
    ${frame.mark('locked', '$vestal_lock_run $vestal_lock_since $vestal_lock_owner')}
  fi
  vestal_tries=$((vestal_tries + 1))
  if [ $vestal_tries -gt ${tries} ]; then exit ${LOCKED}; fi
  sleep 0.2
done`

/** Shell that ends a script of another run that is at work under the host's lock, for --break-lock. Needs `lockFunctions` before it. */
export const endScript = 'if vestal_lock_read && vestal_lock_at_work; then vestal_end_script; fi'

/** The holder that a mark of `awaitScript` names. */
export const holderIn = (detail: string): Lock => {
  const [run = '?', since = '?', ...owner] = detail.split(' ')
  return { run, since, owner: owner.join(' ') || 'somebody' }
}

/** The error for a host whose lock another run has, made of what `takeLock` printed. */
export const lockedError = (host: string, said: string): HostError => {
  const [run = '?', since = '?', owner = 'somebody'] = said.trim().split('\n')
  return lockedBy(host, { run, since, owner })
}

/** The error for a host whose lock this run has. */
export const lockedBy = (host: string, lock: Lock): HostError =>
  new HostError(host, lockText(lock), {
    task: 'lock',
    hint: `Wait for that run to end, or take the lock with --break-lock ${host}.`,
  })

/** `locked by ann@desk since 2026-01-01T00:00:00Z (run …)` */
export const lockText = ({ owner, since, run }: Lock): string => `locked by ${owner} since ${since} (run ${run})`

/** Shell that shows a sign of life while a run waits; for a lock this run holds. */
export const touchLock = (run: string): string => `${lockFunctions}
if vestal_lock_read && [ "$vestal_lock_run" = ${word(run)} ]; then touch ${FILE}; fi`
