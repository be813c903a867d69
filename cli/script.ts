import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import yargs, { type Argv } from 'yargs'
import type { Playbook } from '../lib/model.ts'
import { type Command, command } from './command.ts'
import { toExitCode } from './failure.ts'
import { changeOptions } from './options.ts'
import { usageError } from './usage.ts'

/** Imports a playbook that another command runs: its file does not run by itself meanwhile. Returns what `load` does. */
export const onlyImported = async <T>(load: () => Promise<T>): Promise<T> => {
  const before = shared[IMPORTING]
  shared[IMPORTING] = true
  try {
    return await load()
  } finally {
    shared[IMPORTING] = before
  }
}

/** Known to every copy of this module: a playbook may import another installation than the one that runs it. */
const IMPORTING = Symbol.for('vestal.importing')
const shared = globalThis as { [IMPORTING]?: boolean }

/**
 * Lets a playbook file run by itself (`npx zx playbooks/deploy.ts -i …`): as the command that is loaded, or for a playbook with the flags of
 * `vestal deploy`. Does nothing where the file is only imported.
 */
export const runAsScript = async (
  meta: { readonly url: string },
  what: Playbook | (() => Promise<Command>),
): Promise<void> => {
  if (shared[IMPORTING]) return
  const file = realpathSync(fileURLToPath(meta.url))
  const at = process.argv.findIndex((word, index) => index > 0 && index < 4 && isFile(word, file))
  if (at < 0) return
  const words = process.argv.slice(at + 1)
  process.exitCode = await toExitCode(async () => {
    const one = typeof what === 'function' ? await what() : playing(what)
    const flags = await parse(words, one)
    return flags === null ? 0 : one.run(flags)
  }, words.includes('--json'))
}

/** A playbook as a command with the flags of `vestal deploy`. */
const playing = (book: Playbook): Command =>
  command({
    name: book.name,
    summary: book.summary,
    examples: [],
    options: changeOptions,
    run: async (flags) => (await import('./run-playbook.ts')).runPlaybook(book, flags),
  })

const isFile = (word: string, file: string): boolean => {
  try {
    return realpathSync(word) === file
  } catch {
    return false
  }
}

const parse = async (
  words: readonly string[],
  { name, positionals = '', summary, options }: Command,
): Promise<object | null> => {
  const flags = await yargs([...words])
    .scriptName(`${name}.ts`)
    .command(`$0 ${positionals}`.trim(), summary, (args) => options(args as Argv, words))
    .strict()
    .version(false)
    .exitProcess(false)
    .fail((message, error) => {
      // The flags that were left out are asked about even where only help was wanted.
      if (words.includes('--help')) return
      throw usageError(message, error, `See ${name}.ts --help.`)
    })
    .parseAsync()
  return words.includes('--help') ? null : flags
}
