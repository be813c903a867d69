/** One at a time: a lock file that names its owner, so that a dead owner's lock is known for what it is. */
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Runs `work` while holding the lock, waiting for whoever holds it now. Returns what `work` returns. */
export const withLock = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
  mkdirSync(dirname(path), { recursive: true })
  while (!tryLock(path)) await sleep(200)
  try {
    return await work()
  } finally {
    rmSync(path, { force: true })
  }
}

/** A process, told apart from a later one with the same number by the time it started (proc(5), field 22, in clock ticks). */
const identity = (pid: number): string => {
  const afterName = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop() ?? ''
  return `${pid} ${afterName.split(' ')[19]}`
}

const tryLock = (path: string): boolean => {
  const mine = `${path}.${process.pid}`
  writeFileSync(mine, identity(process.pid))
  try {
    linkSync(mine, path)
    return true
  } catch {
    if (!ownerLives(path)) rmSync(path, { force: true })
    return false
  } finally {
    rmSync(mine, { force: true })
  }
}

const ownerLives = (path: string): boolean => {
  try {
    const owner = readFileSync(path, 'utf8')
    return identity(Number(owner.split(' ')[0])) === owner
  } catch {
    return false
  }
}
