/** Runs one local program to its end, without a shell. */
import { spawn } from 'node:child_process'

export interface Outcome {
  /** Exit code; 128 + the signal's number is not imitated: a signal gives -1. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}
interface RunOptions {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** The folder to run in. */
  readonly cwd?: string
}

/** Returns what the program said, whatever its exit code. Throws only where it could not be started. */
export const attempt = (argv: readonly string[], options: RunOptions = {}): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const [program = '', ...rest] = argv
    const child = spawn(program, rest, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, LC_ALL: 'C', ...options.env },
      signal: options.signal,
      cwd: options.cwd,
    })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.on('error', reject)
    child.on('close', (code) =>
      resolve({ code: code ?? -1, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    )
    // A program that exits without reading its input is not an error of ours.
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
  })

/** Returns what the program printed. Throws an Error with its last words if it exits other than 0. */
export const run = async (argv: readonly string[], options: RunOptions = {}): Promise<string> => {
  const { code, stdout, stderr } = await attempt(argv, options)
  if (code === 0) return stdout
  const said = (stderr.trim() || stdout.trim()).split('\n').slice(-8).join('\n')
  throw new Error(
    `'${argv.join(' ')}' ended with ${code < 0 ? 'a signal' : `exit code ${code}`}${said && `:\n${said}`}`,
  )
}
