import { describe, expect, it } from 'vitest'
import { enterLab, namespaceExists } from '../../../lib/lab/enter.ts'

describe('entering a lab', () => {
  it('that is not up says how to bring it up', () => {
    expect(() => enterLab('never-made')).toThrow(
      "lab 'never-made': is not up\n  Bring it up with 'vestal lab up --name never-made'.",
    )
  })

  it('refuses what cannot be a lab before looking for it', () => {
    expect(() => enterLab('../../etc')).toThrow("'../../etc' cannot name a lab")
  })

  it('does not take any file for a network namespace', () => {
    expect(namespaceExists('../../etc/hostname')).toBe(false)
  })
})
