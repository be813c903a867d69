import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import yargs from 'yargs'
import type { Playbook } from '../model.ts'
import { toExitCode } from './failure.ts'
import { type ChangeFlags, changeOptions } from './options.ts'
import { usageError } from './usage.ts'

/** Lets a playbook file run by itself (`npx zx playbooks/deploy.ts -i …`) with the flags of `vestal deploy`; does nothing where the file is only imported. */
export const runAsScript = async (meta: { readonly url: string }, book: Playbook): Promise<void> => {
  const file = realpathSync(fileURLToPath(meta.url))
  const at = process.argv.findIndex((word, index) => index > 0 && index < 4 && isFile(word, file))
  if (at < 0) return
  const words = process.argv.slice(at + 1)
  process.exitCode = await toExitCode(async () => {
    const flags = await parse(words, book)
    if (flags === null) return 0
    const { runPlaybook } = await import('./run-playbook.ts')
    return runPlaybook(book, flags)
  }, words.includes('--json'))
}

const isFile = (word: string, file: string): boolean => {
  try {
    return realpathSync(word) === file
  } catch {
    return false
  }
}

const parse = async (words: readonly string[], book: Playbook): Promise<ChangeFlags | null> => {
  const args = changeOptions(
    yargs([...words])
      .scriptName(`${book.name}.ts`)
      .usage(`$0 -i INVENTORY\n\n${book.summary}`),
  )
    .strict()
    .version(false)
    .exitProcess(false)
    .fail((message, error) => {
      throw usageError(message, error, `See ${book.name}.ts --help.`)
    })
  const flags = await args.parseAsync()
  return 'help' in flags && flags.help ? null : (flags as unknown as ChangeFlags)
}
