/** What is said to the other side's shell. Pure: text in, text out. */
import { randomBytes } from 'node:crypto'
import { word } from '../../shell.ts'

/**
 * The line, without its end, with which the other side says that it runs, as the right user, and under which process id. What stands before
 * it is noise of login scripts.
 */
export const READY = /(?:^|\r)vestal-ready (\d{1,10})$/
/** What sudo writes to standard error each time it waits for a password. */
export const PROMPT = 'vestal-sudo-password:'

/**
 * The program that runs at the other end: always the same, so that no script, file or secret ever stands in an argument
 * list. It skips lines up to the header (such as a password that sudo did not ask for), takes exactly the script's bytes
 * and runs them only if the last of them is there; all that follows is the script's standard input.
 * `read` takes single bytes from a pipe (POSIX.1-2017, XCU read) and `head -c` of coreutils no more than it is asked for.
 * No quote, backslash, line break or `!` stands in it, so that the login shell may be sh, bash, zsh, fish or csh.
 */
export const BOOTSTRAP = [
  'export LC_ALL=C PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH"',
  'umask 022',
  'cd /',
  'echo "vestal-ready $$"',
  's=',
  'while read -r v n e; do [ "$v" = "#vestal" ] && s=$(head -c "$n") && break; done',
  'case $s in ?*"$e") eval "$s"; exit;; esac',
  'echo "vestal: the script did not arrive whole, nothing of it was run" >&2',
  'exit 70',
].join('; ')

export interface Become {
  readonly user: string
  /** True when sudo is to read a password from standard input. */
  readonly password: boolean
}

/** The words of a command that starts the bootstrap, by way of sudo if another user is wanted. */
export const bootstrapCommand = (become?: Become): readonly string[] => {
  const shell = ['sh', '-c', BOOTSTRAP, 'vestal']
  if (!become) return shell
  // -k: a password that sudo remembers from another session must not decide whether it asks for one.
  const asking = become.password ? ['-k', '-S', '-p', PROMPT] : ['-n']
  return ['env', 'LC_ALL=C', 'sudo', ...asking, '-H', '-u', become.user, ...shell]
}

/** The same as one line for a login shell of any family. */
export const bootstrapLine = (become?: Become): string => `exec ${bootstrapCommand(become).map(word).join(' ')}`

/**
 * The bytes of a script on its way: a header with their number, the script, and a mark that cannot stand in the script by chance.
 * The braces make the shell read all of it before it runs any of it, so a syntax error in the last line runs nothing either.
 * Throws RangeError for a NUL, which no shell can hold.
 */
export const frame = (script: string): Buffer => {
  if (script.includes('\0')) throw new RangeError('a shell script cannot hold a NUL character')
  const mark = `#${randomBytes(12).toString('hex')}`
  const body = Buffer.from(`unset v n e s; { :; ${script}\n}\n${mark}`)
  return Buffer.concat([Buffer.from(`#vestal ${body.length} ${mark}\n`), body])
}

/** Ends a script and all that it has started, by its process id: the session and the group are its own. Field 5 of proc(5)'s stat is the group. */
export const endScript = (pid: number): string =>
  `read -r a b c d group rest </proc/${pid}/stat && kill -TERM "-$group"`
