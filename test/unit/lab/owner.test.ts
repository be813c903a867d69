import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { checkOwner, isOurs, releaseName, takeName } from '../../../lib/lab/owner.ts'

let scratch = ''
const box = () => join(scratch, 'box')
const keepIn = (folder: string) => vi.stubEnv('VESTAL_LAB_DIR', join(scratch, folder))

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'vestal-owner-'))
  for (const folder of ['one', 'other']) mkdirSync(join(scratch, folder))
  keepIn('one')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(scratch, { recursive: true })
})

describe('two labs of one name in different folders', () => {
  it('are told apart: the second is refused while the first is up', () => {
    takeName('default', box())
    keepIn('other')
    const where = join(scratch, 'one')
    expect(() => takeName('default', box())).toThrow(
      `lab 'default': is up, and kept in ${where}; here labs are kept in ${join(scratch, 'other')}\n  Set VESTAL_LAB_DIR=${where}`,
    )
    expect(isOurs('default', box())).toBe(false)
    expect(() => takeName('second', box())).not.toThrow()
  })

  it('have the name one after the other', () => {
    takeName('default', box())
    releaseName('default', box())
    keepIn('other')
    takeName('default', box())
    expect(isOurs('default', box())).toBe(true)
  })
})

describe('a lab', () => {
  it('is the same one by another name of its folder', () => {
    takeName('default', box())
    symlinkSync(join(scratch, 'one'), join(scratch, 'link'))
    keepIn('link')
    expect(() => checkOwner('default', box())).not.toThrow()
  })

  it('that nobody brought up is nobody’s', () => {
    expect(isOurs('default', box())).toBe(true)
    expect(() => checkOwner('default', box())).not.toThrow()
  })
})
