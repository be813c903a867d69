import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { removeUnused } from '../../../lib/lab/image.ts'
import { labUp } from '../../../lib/lab/lab.ts'
import { claimRoot, removeOwn } from '../../../lib/lab/own.ts'

let root = ''
const put = (path: string, text = ''): string => {
  const file = join(root, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return file
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vestal-lab-'))
  vi.stubEnv('VESTAL_LAB_DIR', root)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(root, { recursive: true })
})

describe("the labs' folder", () => {
  it('is never one that somebody keeps things in', async () => {
    put('images/holidays/beach.jpg')
    await expect(labUp({ name: 'never', hosts: 1 })).rejects.toThrow(
      `${root}: is no folder of the lab's: it holds images\n  Let VESTAL_LAB_DIR name a folder that is empty`,
    )
    expect(readdirSync(root)).toEqual(['images'])
  })

  it('is the lab’s if it was empty or not there, and stays so', () => {
    claimRoot()
    put('images/holidays/beach.jpg')
    expect(claimRoot).not.toThrow()
    vi.stubEnv('VESTAL_LAB_DIR', join(root, 'images', 'new'))
    claimRoot()
    expect(readdirSync(join(root, 'images', 'new'))).toEqual(['.vestal-lab'])
  })

  it('is known again when it is from before such folders were marked, but only if nothing else is in it', () => {
    put('id_ed25519.pub', 'ssh-ed25519 AAAA vestal-lab\n')
    put('images/0123456789ab/etc/hosts')
    const taxes = put('taxes')
    expect(claimRoot).toThrow('it holds taxes')
    rmSync(taxes)
    claimRoot()
    expect(existsSync(join(root, '.vestal-lab'))).toBe(true)
  })
})

describe('removing', () => {
  it('takes images that no host needs, and no other folder beside them', () => {
    claimRoot()
    for (const name of ['0123456789ab', 'ba9876543210', 'ffffffffffff', 'holidays']) put(`images/${name}/file`)
    put('labs/a/hosts/lab-1/image', join(root, 'images', 'ba9876543210'))
    removeUnused(join(root, 'images', '0123456789ab'))
    expect(readdirSync(join(root, 'images'))).toEqual(['0123456789ab', 'ba9876543210', 'holidays'])
  })

  it('takes those of the same generation and processor alone', () => {
    claimRoot()
    const names = [
      'bookworm-amd64-0123456789ab',
      'bookworm-arm64-0123456789ab',
      'sid-amd64-0123456789ab',
      'sid-amd64-holidays',
    ]
    for (const name of [...names, 'ba9876543210']) put(`images/${name}/file`)
    removeUnused(join(root, 'images', 'bookworm-amd64-ffffffffffff'))
    expect(readdirSync(join(root, 'images'))).toEqual(names.slice(1))
  })

  it('needs a folder that is the lab’s', () => {
    const file = put('images/0123456789ab/file')
    expect(() => removeOwn(dirname(file))).toThrow("is not the lab's to remove")
    expect(existsSync(file)).toBe(true)
  })

  it('stays inside that folder', () => {
    claimRoot()
    for (const path of [root, dirname(root), join(root, '..', 'elsewhere'), '/etc/hosts'])
      expect(() => removeOwn(path)).toThrow("is not the lab's to remove")
  })

  it('follows no link out of it', () => {
    const file = put('pictures/0123456789ab/beach.jpg')
    vi.stubEnv('VESTAL_LAB_DIR', join(root, 'lab'))
    claimRoot()
    symlinkSync(join(root, 'pictures'), join(root, 'lab', 'images'))
    expect(() => removeOwn(join(root, 'lab', 'images', '0123456789ab'))).toThrow('a link leads there')
    symlinkSync(dirname(file), join(root, 'lab', 'mirror-draft'))
    removeOwn(join(root, 'lab', 'mirror-draft'))
    expect(existsSync(file)).toBe(true)
  })

  it('of what is not there is nothing', () => {
    claimRoot()
    expect(() => removeOwn(join(root, 'a', 'b'))).not.toThrow()
  })
})
