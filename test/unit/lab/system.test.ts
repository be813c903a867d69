import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { architecture } from '../../../lib/lab/debian.ts'
import { systemOf } from '../../../lib/lab/host.ts'
import { labUp } from '../../../lib/lab/lab.ts'
import { parseSystem, systemName, systemOfImage } from '../../../lib/lab/system.ts'

const { debian: own } = await architecture()

describe('what a lab host is made of', () => {
  it('is for the box’s own processor unless another is named', async () => {
    expect(await parseSystem('bullseye', 'lab-1')).toEqual({ generation: 'bullseye', arch: own, emulated: false })
    expect(systemName(await parseSystem(`sid-${own}`, 'lab-1'))).toBe(`sid-${own}`)
    expect(await parseSystem('trixie-arm64', 'lab-1')).toMatchObject({ arch: 'arm64', emulated: own !== 'arm64' })
  })

  it.each([
    ['buster', "--system lab-1: 'buster' is no generation of Debian that the lab has hosts of"],
    ['trixie-s390x', '--system lab-1: the lab has no way to run s390x here'],
    ['trixie-arm64-new', "--system lab-1: 'trixie-arm64-new' is not what a host is made of"],
    ['../sid', "--system lab-1: '../sid' is no generation"],
  ])('is never %s', async (text, message) => {
    await expect(parseSystem(text, '--system lab-1')).rejects.toThrow(message)
    await expect(parseSystem(text, '--system lab-1')).rejects.toThrow(
      'There are bullseye, bookworm, trixie, forky, sid, and each for another processor: trixie-arm64.',
    )
  })

  it('is said of hosts that there are', async () => {
    await expect(labUp({ name: 'never', hosts: 2, systems: { 'lab-3': 'sid' } })).rejects.toThrow(
      '--system: the lab has no host lab-3\n  Its hosts are lab-1, lab-2.',
    )
  })

  it('stands in the name of its image', () => {
    expect(systemOfImage('trixie-arm64-0123456789ab')).toBe('trixie-arm64')
    expect(systemOfImage('0123456789ab')).toBe('')
    expect(systemOfImage('holidays')).toBe('')
  })
})

describe('what a host was made of', () => {
  let root = ''
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'vestal-lab-'))
    vi.stubEnv('VESTAL_LAB_DIR', root)
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    rmSync(root, { recursive: true })
  })

  it('is told by the image under its disk', () => {
    const folder = join(root, 'labs/a/hosts/lab-1')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'image'), join(root, 'images/bullseye-amd64-0123456789ab'))
    expect([systemOf('a', 'lab-1'), systemOf('a', 'lab-2')]).toEqual(['bullseye-amd64', ''])
  })
})
