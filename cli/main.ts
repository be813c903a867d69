import { commandsFor } from './commands.ts'
import { toExitCode } from './failure.ts'
import { program } from './program.ts'

/** Runs a command line and returns its exit code. */
export const main = (words: readonly string[]): Promise<number> =>
  toExitCode(async () => {
    let chosen: () => Promise<number> = async () => 0
    await program(words, await commandsFor(words), (work) => {
      chosen = work
    }).parseAsync()
    return chosen()
  }, words.includes('--json'))
