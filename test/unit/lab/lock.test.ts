import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { withLock } from '../../../lib/lab/lock.ts'

const lockFile = join(import.meta.dirname, '../../../lib/lab/lock.ts')
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vestal-lock-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('a lock', () => {
  it('lets one in after the other', async () => {
    const path = join(folder, 'locks', 'a')
    const seen: string[] = []
    const work = (name: string) => async () => {
      seen.push(`${name} in`)
      await new Promise((resolve) => setTimeout(resolve, 30))
      seen.push(`${name} out`)
    }
    await Promise.all([withLock(path, work('one')), withLock(path, work('two'))])
    const [first, second] = seen[0] === 'one in' ? ['one', 'two'] : ['two', 'one']
    expect(seen).toEqual([`${first} in`, `${first} out`, `${second} in`, `${second} out`])
  })

  it('is free again after an error inside', async () => {
    const path = join(folder, 'a')
    await expect(withLock(path, () => Promise.reject(new Error('inside')))).rejects.toThrow('inside')
    expect(await withLock(path, async () => 'in')).toBe('in')
  })

  it('is free again when its owner was killed', async () => {
    const path = join(folder, 'a')
    const holding = `import { withLock } from ${JSON.stringify(lockFile)}
      await withLock(${JSON.stringify(path)}, () => new Promise(() => { console.log('held'); setInterval(() => {}, 1000) }))`
    const owner = spawn(process.execPath, ['--input-type=module', '-e', holding], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(owner.stdout, 'data')
    const waiting = withLock(path, async () => 'in')
    const patience = new Promise((resolve) => setTimeout(resolve, 200, 'still waiting'))
    expect(await Promise.race([waiting, patience])).toBe('still waiting')
    owner.kill('SIGKILL')
    expect(await waiting).toBe('in')
  })
})
