/** Runs a program outside of the lab that the tests run in, where the box's own network and mounts are. */
import { join } from 'node:path'
import { attempt, type Outcome } from '../../../lib/lab/command.ts'

/** Returns what operate.ts printed, line by line. Throws an Error of all of that if it failed. */
export const operate = async (...words: readonly string[]): Promise<string[]> => {
  const { code, stdout, stderr } = await attempt(
    outside([process.execPath, join(import.meta.dirname, 'operate.ts'), ...words]),
  )
  if (code !== 0) throw new Error(stdout + stderr)
  return stdout.trim().split('\n')
}

/** Returns what a shell script printed, out there. */
export const outsideShell = (script: string): Promise<Outcome> => attempt(outside(['sh', '-euc', script]))

const outside = (argv: readonly string[]): string[] => {
  const pid = process.env.VESTAL_TEST_OUTSIDE
  return pid ? ['nsenter', `--target=${pid}`, '--net', '--mount', '--', ...argv] : [...argv]
}
