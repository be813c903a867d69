import { toExitCode } from './failure.ts'
import { program } from './program.ts'

/** Runs a command line and returns its exit code. */
export const main = (words: readonly string[]): Promise<number> =>
  toExitCode(async () => {
    let code = 0
    await program(words, (result) => {
      code = result
    }).parseAsync()
    return code
  }, words.includes('--json'))
