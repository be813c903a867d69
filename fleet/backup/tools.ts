import { createHash } from 'node:crypto'
import { closeSync, createReadStream, openSync, statSync, writeSync } from 'node:fs'
import { basename } from 'node:path'
import { LOCKED, type LockRequest, lockedError, lockFunctions, takeLock } from '../../lib/engine/lock.ts'
import { HostError } from '../../lib/errors.ts'
import type { Exec, ExecOptions, Host, Reach } from '../../lib/model.ts'
import type { BackupFile } from './manifest.ts'

/** What a job on a host works with. */
export interface Tools {
  readonly reach: Reach
  readonly lock: LockRequest
  readonly signal?: AbortSignal
  /** Called now and then while something large is on its way. */
  progress(title: string, sent: number, of: number): void
}

/** Runs a script with the host's lock. Throws HostError when it is locked or the script fails, with the script's words. */
export const withLock = async (
  { reach, lock, signal }: Tools,
  host: Host,
  { script, task, ...options }: ExecOptions & { readonly script: string; readonly task: string },
): Promise<Exec> => {
  const answer = await (await reach(host)).exec(`${lockFunctions}\n${takeLock(lock)}\n${script}`, {
    signal,
    ...options,
  })
  if (answer.code === LOCKED) throw lockedError(host.name, answer.stdout.toString())
  if (answer.code === 0) return answer
  const why = answer.stderr.trim() || `the script ended with code ${answer.code}`
  throw new HostError(host.name, why, { task })
}

/** Writes what a script prints to a file, whatever its size. `bytes` is about how much it will be. */
export const download = async (
  tools: Tools,
  host: Host,
  {
    script,
    task,
    path,
    bytes,
  }: { readonly script: string; readonly task: string; readonly path: string; readonly bytes: number },
): Promise<BackupFile> => {
  const file = openSync(path, 'wx', 0o600)
  const hash = createHash('sha256')
  const title = basename(path)
  const told = everySecond()
  let sent = 0
  const onStdout = (chunk: Buffer): void => {
    writeSync(file, chunk)
    hash.update(chunk)
    sent += chunk.length
    if (told()) tools.progress(title, sent, Math.max(bytes, sent + 1))
  }
  try {
    await withLock(tools, host, { script, task, onStdout, keepStdout: false })
  } finally {
    closeSync(file)
  }
  tools.progress(title, sent, sent)
  return { name: title, bytes: sent, sha256: hash.digest('hex') }
}

/** Gives a file to a script as its standard input. */
export const upload = async (
  tools: Tools,
  host: Host,
  { script, task, path }: { readonly script: string; readonly task: string; readonly path: string },
): Promise<void> => {
  const { size } = statSync(path)
  const stream = createReadStream(path, { highWaterMark: 256 * 1024 })
  const told = everySecond()
  let sent = 0
  stream.on('data', (chunk) => {
    sent += chunk.length
    if (sent === size || told()) tools.progress(basename(path), sent, size)
  })
  // It must not flow before the program that reads it has started.
  stream.pause()
  await withLock(tools, host, { script, task, stdin: stream })
}

const everySecond = (): (() => boolean) => {
  let last = 0
  return () => {
    const now = Date.now()
    if (now - last < 1_000) return false
    last = now
    return true
  }
}
