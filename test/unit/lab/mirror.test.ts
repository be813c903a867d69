import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { mirrorReleases } from '../../../lib/lab/mirror.ts'

let root = ''
const put = (path: string) => {
  const file = join(root, 'mirror', path)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, '')
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vestal-lab-'))
  vi.stubEnv('VESTAL_LAB_DIR', root)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(root, { recursive: true })
})

describe('what the mirror holds', () => {
  it('is nothing before it is made', () => {
    expect(mirrorReleases()).toEqual([])
  })

  it('is in the order of versions, not of letters', () => {
    for (const version of ['1.9.0', '1.11.1', '1.5.0'])
      put(`prometheus/node_exporter/releases/download/v${version}/node_exporter-${version}.linux-arm64.tar.gz`)
    put('prometheus/node_exporter/releases/download/v1.5.0/sha256sums.txt')
    expect(mirrorReleases().map(({ version }) => version)).toEqual(['1.5.0', '1.9.0', '1.11.1'])
    expect(mirrorReleases()[0]).toEqual({
      repo: 'prometheus/node_exporter',
      name: 'node_exporter',
      version: '1.5.0',
      arch: 'arm64',
      file: join(
        root,
        'mirror/prometheus/node_exporter/releases/download/v1.5.0/node_exporter-1.5.0.linux-arm64.tar.gz',
      ),
    })
  })
})
