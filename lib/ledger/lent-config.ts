/** The configuration file of a program that somebody else has deployed, changed for as long as alerts are watched, and put back as it was. */
import { basename, dirname, isAbsolute, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { asAccount, asOwner, OTHERS_MAY_WRITE } from '../as-owner.ts'
import { HostError } from '../errors.ts'
import { surveyHost } from '../health/survey.ts'
import type { Connection, Exec } from '../model.ts'
import { word } from '../shell.ts'
import { understood } from '../understood.ts'

/** What runs behind a port. */
export interface RunningConfig {
  readonly pid: number
  /** The account that it runs as. */
  readonly user: string
  readonly command: readonly string[]
  /** Its program, links resolved. */
  readonly program: string
  /** Its configuration file. */
  readonly file: string
}
const MOST_BYTES = 4 * 1024 * 1024

/**
 * What runs behind a port of a host, and the file that its `--config.file` names. Throws HostError where nothing does, or its files are not the host's
 * own: a container's, or behind a link.
 */
export const runningBehind = async (
  connection: Connection,
  { port, usual }: { readonly port: number; readonly usual: string },
): Promise<RunningConfig> => {
  const host = connection.host.name
  const { listeners } = await surveyHost(connection, { ports: [{ port, protocol: 'tcp', unit: '' }] }, { names: [] })
  const found = listeners.find((one) => one.port === port && one.protocol === 'tcp')
  if (!found) throw new HostError(host, `nothing listens on port ${port}`)
  const named = flagIn(found.command, 'config.file')
  const { code, stdout, stderr } = await connection.exec(lookScript(found.pid, { named, usual }), {
    within: '30s',
    most: 64 * 1024,
  })
  if (code !== 0) throw new HostError(host, `the configuration of pid ${found.pid} is out of reach: ${stderr.trim()}`)
  return understood(host, 'its process', () => {
    const [file = '', user = '', program = ''] = stdout.toString().split('\n')
    if (!isAbsolute(file) || !/^[a-z_][\w.-]{0,60}$/i.test(user))
      throw new Error(`it says ${JSON.stringify([file, user])}`)
    return { pid: found.pid, user, command: found.command, program, file }
  })
}

/** The value of a flag, in each way that Go programs take one. */
export const flagIn = (command: readonly string[], name: string): string | undefined => {
  for (const [at, one] of command.entries()) {
    const [, flag, value] = /^--?([\w.-]+)(?:=(.*))?$/s.exec(one) ?? []
    if (flag === name) return value ?? command[at + 1]
  }
  return undefined
}

/** The inode tells whether the process and root mean the same file: units with a view of their own do, containers don't. */
const lookScript = (
  pid: number,
  { named, usual }: { readonly named?: string; readonly usual: string },
): string => `set -eu
${named === undefined ? `${askHelp(pid)}\nnamed=\${named:-${word(usual)}}` : `named=${word(named)}`}
case $named in /*) ;; *) named=$(readlink /proc/${pid}/cwd)/$named ;; esac
if [ -L "$named" ]; then echo "$named is a link" >&2; exit 1; fi
if [ "$(stat -c %d:%i -- "$named")" != "$(stat -c %d:%i -- "/proc/${pid}/root$named")" ]; then
  echo "it runs in a container, whose $named is not the host's" >&2; exit 1
fi
printf '%s\\n' "$named"
stat -c %U /proc/${pid}
readlink /proc/${pid}/exe`

/** Distributions build programs with another path than upstream's: its own help says which, as the account that runs it, from the file that it runs. */
const askHelp = (pid: number): string => `ids=$(stat -Lc '%u %g' /proc/${pid})
named=$( { timeout 10 env -i PATH=/usr/bin:/bin setpriv --reuid="\${ids% *}" --regid="\${ids#* }" --clear-groups --inh-caps=-all --no-new-privs -- /proc/self/fd/9 --help 9</proc/${pid}/exe 2>&1 || :; } | sed -n 's/^ *--config\\.file="\\([^"]*\\)".*/\\1/p' | head -n 1 )`

/** A change of the file that is in force. */
export interface Lent {
  /** Puts the file back as it was, if it is still the changed one, and has it read. */
  giveBack(): Promise<void>
}
interface Change {
  /** The new text, from the old one; may throw an Error in words. */
  edit(text: string): string
  /** Why the program does not do what it was changed for; null where it does. Asked until it does, for a while. */
  lacks(): Promise<string | null>
  /** A file beside it that the new text names. */
  readonly beside?: { readonly name: string; readonly text: string }
}

/**
 * Changes the configuration file of what runs, and has it read by SIGHUP. What is not taken is put back. The old file itself is kept
 * beside it meanwhile, so that owner, mode and every byte come back; what a killed run left is put back first. Throws HostError where any of it fails.
 */
export const lendConfig = async (connection: Connection, running: RunningConfig, change: Change): Promise<Lent> => {
  const host = connection.host.name
  const { beside } = change
  const inFolder = folderOf(connection, running)
  const name = basename(running.file)
  const giveBack = async (): Promise<void> => {
    const { stdout } = await inFolder(putBack(name))
    // Where it is gone, what runs in its place has a file of its own.
    if (stdout.toString().trim() === 'back') await hangUp(connection, running)
    if (beside) await inFolder(`rm -f -- ${word(beside.name)}`)
  }
  await giveBack()
  const { stdout } = await inFolder(`head -c ${MOST_BYTES} -- ${word(name)}`)
  const text = stdout.toString()
  let changed: string
  try {
    changed = change.edit(text)
  } catch (error) {
    throw new HostError(host, `${running.file}: ${error instanceof Error ? error.message.split('\n')[0] : error}`)
  }
  try {
    if (beside) await inFolder(exchange(beside.name, name), Buffer.from(beside.text))
    await inFolder(exchange(name, name), Buffer.from(changed))
    if (!(await hangUp(connection, running)))
      throw new HostError(host, `what read ${running.file} has ended meanwhile; the file is as it was`)
    const lacks = await settled(change.lacks)
    if (lacks !== null)
      throw new HostError(host, `${running.file} was changed and read again, and still ${lacks}; it is as it was`)
  } catch (error) {
    await giveBack()
    throw error
  }
  return { giveBack }
}

const AGAIN_MS = 500
/** Prometheus acts on new targets within 5 s (`discovery/manager.go`), and scrapes them within an interval. */
const LONGEST_MS = 30_000

const settled = async (lacks: Change['lacks']): Promise<string | null> => {
  for (const until = Date.now() + LONGEST_MS; ; await sleep(AGAIN_MS)) {
    const said = await lacks()
    if (said === null || Date.now() > until) return said
  }
}

const GONE = 3

/** Has the program read its file again. Returns false where it runs no more: its process id may be another's by now, whom a HUP would end. */
const hangUp = async (connection: Connection, { pid, program }: RunningConfig): Promise<boolean> => {
  const same = [program, `${program} (deleted)`].map(word).join(' | ')
  const script = `case $(readlink /proc/${pid}/exe) in ${same}) kill -HUP ${pid};; *) exit ${GONE};; esac`
  const { code, stderr } = await connection.exec(script, { within: '30s' })
  if (code === GONE) return false
  if (code !== 0)
    throw new HostError(connection.host.name, `its process cannot be told to read its file: ${stderr.trim()}`)
  return true
}

/** Scripts run in the file's folder, as the account whose it is; as the service's own where a group may write there too. */
const folderOf = (connection: Connection, { file, user }: RunningConfig) => {
  const folder = dirname(file)
  return async (script: string, stdin?: Uint8Array): Promise<Exec> => {
    const options = { stdin, within: '60s', most: MOST_BYTES + 1024 } as const
    const asked = await connection.exec(asOwner(folder, script), options)
    const ended =
      asked.code !== 0 && asked.stderr.includes(OTHERS_MAY_WRITE)
        ? await connection.exec(asAccount(user, folder, script), options)
        : asked
    if (ended.code !== 0) throw new HostError(connection.host.name, `${join(folder, '…')}: ${ended.stderr.trim()}`)
    return ended
  }
}

/** The old file is kept under a name that says which new one stands in its place. */
const keptAs = (name: string): string => `.${name}.vestal-was`

const exchange = (name: string, like: string): string => `set -eu
new=${word(`.${name}.vestal-new`)} name=${word(name)} like=${word(like)}
umask 077
rm -f -- "$new"
cat >"$new"
chown --reference="$like" -- "$new" 2>/dev/null || :
chmod --reference="$like" -- "$new"
if [ "$name" != "$like" ]; then exec mv -f -- "$new" "$name"; fi
sum=$(sha256sum <"$new")
was=${word(keptAs(name))}-\${sum%% *}
mv -f -- "$name" "$was"
mv -f -- "$new" "$name" || { mv -f -- "$was" "$name"; exit 1; }`

const putBack = (name: string): string => `set -eu
name=${word(name)}
for was in ${word(keptAs(name))}-*; do
  [ -f "$was" ] || continue
  sum=$(sha256sum <"$name")
  if [ "\${was##*-}" = "\${sum%% *}" ]; then mv -f -- "$was" "$name"; echo back; else rm -f -- "$was"; fi
done`
