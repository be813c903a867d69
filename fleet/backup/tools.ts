import { createHash } from 'node:crypto'
import { closeSync, openSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Readable } from 'node:stream'
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

/** A file that grows while it is copied, and what an archive has around files. */
const SLACK_BYTES = 64 * 1024 * 1024
/** What stays free on our disk whatever a host sends: the run's own folder is on it too, perhaps. */
const RESERVE_BYTES = 64 * 1024 * 1024

/** What a file system has left for us, in bytes. */
const freeBytes = (folder: string): number => {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

/**
 * Writes what a script prints to a file. `bytes` is about how much it will be, as the host says. Throws HostError, and leaves no file, where
 * there is no room for it here, or none any more, the host sends far more than that, or the file can't be written.
 */
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
  const folder = dirname(path)
  const room = freeBytes(folder) - RESERVE_BYTES
  if (bytes > room)
    throw new HostError(host.name, `it would send ${bytes} bytes, and ${folder} has room for ${Math.max(0, room)}`, {
      task,
    })
  const most = bytes + Math.max(SLACK_BYTES, bytes / 4)
  const file = openSync(path, 'wx', 0o600)
  const stop = new AbortController()
  let failed: HostError | undefined
  const fail = (why: string): void => {
    failed ??= new HostError(host.name, why, { task })
    stop.abort()
  }
  const hash = createHash('sha256')
  const title = basename(path)
  const told = everySecond()
  let sent = 0
  const write = (chunk: Buffer): void => {
    try {
      // writeSync may write less than it is given, where the disk is nearly full.
      writeFileSync(file, chunk)
      hash.update(chunk)
    } catch (error) {
      fail(`${path}: ${error instanceof Error ? error.message : error}`)
    }
  }
  const onStdout = (chunk: Buffer): void => {
    if (failed) return
    sent += chunk.length
    if (sent > most) fail(`it sends more than the ${bytes} bytes it has said`)
    else write(chunk)
    if (!told()) return
    tools.progress(title, sent, Math.max(bytes, sent + 1))
    // Others may write there too.
    if (freeBytes(folder) < RESERVE_BYTES) fail(`${folder} has no room for it any more`)
  }
  try {
    const signal = tools.signal ? AbortSignal.any([tools.signal, stop.signal]) : stop.signal
    await withLock(tools, host, { script, task, onStdout, keepStdout: false, signal })
  } catch (error) {
    failed ??= error instanceof HostError ? error : undefined
    if (!failed) throw error
  } finally {
    closeSync(file)
    if (failed) rmSync(path, { force: true })
  }
  if (failed) throw failed
  tools.progress(title, sent, sent)
  return { name: title, bytes: sent, sha256: hash.digest('hex') }
}

/** Gives a stream of so many bytes to a script as its standard input. */
export const upload = async (
  tools: Tools,
  host: Host,
  {
    script,
    task,
    name,
    stream,
    bytes,
  }: {
    readonly script: string
    readonly task: string
    readonly name: string
    readonly stream: Readable
    readonly bytes: number
  },
): Promise<void> => {
  const told = everySecond()
  let sent = 0
  stream.on('data', (chunk: Buffer) => {
    sent += chunk.length
    if (sent === bytes || told()) tools.progress(name, sent, bytes)
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
