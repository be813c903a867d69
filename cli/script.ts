import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import yargs, { type Argv } from 'yargs'
import type { Playbook } from '../lib/model.ts'
import { toExitCode } from './failure.ts'
import { type ChangeFlags, changeOptions } from './options.ts'
import { usageError } from './usage.ts'

/** How a playbook file is called by itself, where that is not as `deploy` is. */
export interface Calling<F> {
  /** What stands on its command line without a flag, as yargs writes it: `<name>`. */
  readonly positionals?: string
  options(args: Argv): Argv | Promise<Argv>
  run(flags: F): Promise<number>
}

/**
 * Lets a playbook file run by itself (`npx zx playbooks/deploy.ts -i …`) with the flags of its command, by default those of `vestal deploy`;
 * does nothing where the file is only imported.
 */
export const runAsScript = async <F extends object = ChangeFlags>(
  meta: { readonly url: string },
  book: Playbook,
  calling?: Calling<F>,
): Promise<void> => {
  const file = realpathSync(fileURLToPath(meta.url))
  const at = process.argv.findIndex((word, index) => index > 0 && index < 4 && isFile(word, file))
  if (at < 0) return
  const words = process.argv.slice(at + 1)
  process.exitCode = await toExitCode(async () => {
    const flags = await parse(words, book, calling)
    if (flags === null) return 0
    if (calling) return calling.run(flags as F)
    const { runPlaybook } = await import('./run-playbook.ts')
    return runPlaybook(book, flags as ChangeFlags)
  }, words.includes('--json'))
}

const isFile = (word: string, file: string): boolean => {
  try {
    return realpathSync(word) === file
  } catch {
    return false
  }
}

const parse = async (
  words: readonly string[],
  book: Playbook,
  calling?: Pick<Calling<never>, 'positionals' | 'options'>,
): Promise<object | null> => {
  const { positionals = '', options = changeOptions } = calling ?? {}
  const flags = await yargs([...words])
    .scriptName(`${book.name}.ts`)
    .command(`$0 ${positionals}`.trim(), book.summary, (args) => options(args as Argv))
    .strict()
    .version(false)
    .exitProcess(false)
    .fail((message, error) => {
      // The flags that were left out are asked about even where only help was wanted.
      if (words.includes('--help')) return
      throw usageError(message, error, `See ${book.name}.ts --help.`)
    })
    .parseAsync()
  return words.includes('--help') ? null : flags
}
