import { resolve } from 'node:path'
import type { Argv } from 'yargs'
import { loadMistake } from '../../lib/config.ts'
import { InputError } from '../../lib/errors.ts'
import { importFile } from '../../lib/import-file.ts'
import type { Playbook } from '../../lib/model.ts'
import { command } from '../command.ts'
import { changeOptions } from '../options.ts'
import { runPlaybook } from '../run-playbook.ts'
import { onlyImported } from '../script.ts'

/** The playbook that a user's own file exports by default. Throws InputError, with the line where that is known. */
const playbookIn = async (path: string): Promise<Playbook> => {
  const file = resolve(path)
  const loaded = await onlyImported(() => importFile(file)).catch((error: unknown) => {
    throw error instanceof InputError ? error : new InputError([{ ...loadMistake(file, error), fix: FIX }])
  })
  const book = loaded.default
  if (isPlaybook(book)) return book
  throw new InputError([{ where: file, what: 'its default export is no playbook', fix: FIX }])
}

const FIX = "It ends with `export default playbook({ … })`, with playbook from 'vestal/playbook'."

const isPlaybook = (one: unknown): one is Playbook =>
  typeof one === 'object' && one !== null && 'name' in one && 'plays' in one && Array.isArray(one.plays)

export default command({
  name: 'run',
  positionals: '<playbook>',
  summary: 'Run a playbook of your own, with the flags of deploy',
  examples: ['vestal run fleet.ts -i inventory/ha'],
  options: (args: Argv) =>
    changeOptions(args).positional('playbook', {
      type: 'string',
      demandOption: true,
      describe: 'A TypeScript or JavaScript file whose default export is a playbook',
    }),
  run: async (flags) => runPlaybook(await playbookIn(flags.playbook), flags),
})
