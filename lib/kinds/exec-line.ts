import { InputError } from '../errors.ts'

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n', '\t': '\\t', '%': '%%' }

/**
 * Words for `ExecStart=`, quoted so that the process's argument list is exactly `args`; see systemd.service(5), "Command lines".
 * Where one holds a `$`, the prefix `:` turns variables off. Throws InputError on a NUL or a program without an absolute path.
 */
export const execLine = (args: readonly string[]): string => {
  const [program] = args
  const mistakes = args
    .filter((arg) => arg.includes('\0'))
    .map((arg) => ({
      where: `argument ${JSON.stringify(arg)}`,
      what: 'holds a NUL character, which no process can be given',
    }))
  if (!program?.startsWith('/')) {
    mistakes.push({ where: `program ${JSON.stringify(program ?? '')}`, what: 'is not an absolute path' })
  }
  if (mistakes.length > 0) throw new InputError(mistakes)
  return (args.some((arg) => arg.includes('$')) ? ':' : '') + args.map(quote).join(' ')
}

const quote = (arg: string): string =>
  /^[\w@+=:,./-]+$/.test(arg) ? arg : `"${arg.replaceAll(/[\\"%\x01-\x1f\x7f]/g, escaped)}"`

const escaped = (character: string): string =>
  ESCAPES[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
