/** A machine for scripts (`timeout` stands where sshd would: the session a lock is tied to): a mount namespace of its own with empty /run/vestal and /var/lib/vestal, so that tests leave no trace. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'

export interface Ran {
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
}
const setup =
  'mkdir -p /run/vestal /var/lib/vestal && mount -t tmpfs none /run/vestal && mount -t tmpfs none /var/lib/vestal'

export interface Machine extends Disposable {
  /** Runs a script in the machine with this shell, as a connection would: from standard input, as a whole. */
  run(shell: string, script: string, options?: { readonly onStdout?: (chunk: Buffer) => void }): Promise<Ran>
  start(shell: string, script: string): ChildProcess
}

export const machine = async (): Promise<Machine> => {
  const keeper = spawn(
    'unshare',
    ['-m', '--propagation', 'private', 'sh', '-c', `${setup} && echo ready && exec sleep 300`],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  await new Promise((resolve, reject) => keeper.stdout?.once('data', resolve) && keeper.once('exit', reject))
  const start = (shell: string, script: string): ChildProcess => {
    const child = spawn('nsenter', ['-m', '-t', String(keeper.pid), 'timeout', '60', shell, '-c', 'eval "$(cat)"'], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    child.stdin?.on('error', () => undefined).end(script)
    return child
  }
  return {
    start,
    run: (shell, script, { onStdout } = {}) =>
      new Promise((resolve, reject) => {
        const child = start(shell, script)
        const out: Buffer[] = []
        const err: Buffer[] = []
        child.stdout?.on('data', (chunk) => {
          out.push(chunk)
          onStdout?.(chunk)
        })
        child.stderr?.on('data', (chunk) => err.push(chunk))
        child
          .once('error', reject)
          .once('close', (code) => resolve({ code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() }))
      }),
    [Symbol.dispose]: () => void keeper.kill('SIGKILL'),
  }
}

/** The shells that `/bin/sh` is on the machines we know. */
export const shells = ['dash', 'bash'].filter((shell) => spawnSync(shell, ['-c', ':']).status === 0)
