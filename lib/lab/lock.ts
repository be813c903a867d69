/** One at a time. The lock is held by a child whose life hangs on ours, so it cannot outlive us, however we end. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/** Runs `work` while holding the lock on this file, waiting for whoever holds it now. Returns what `work` returns. */
export const withLock = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
  mkdirSync(dirname(path), { recursive: true })
  const holder = spawn('flock', [path, 'sh', '-c', 'echo held; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] })
  await Promise.race([once(holder.stdout, 'data'), once(holder, 'error').then(([error]) => Promise.reject(error))])
  try {
    return await work()
  } finally {
    holder.stdin.end()
    await once(holder, 'close')
  }
}
