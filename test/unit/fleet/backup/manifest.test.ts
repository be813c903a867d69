import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readBackup } from '../../../../fleet/backup/manifest.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vestal-backup-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const write = (host: string, content: string, more: object = {}): void => {
  const sha256 = createHash('sha256').update('samples').digest('hex')
  const parts = [{ role: 'prometheus', version: '3.5.3', files: [{ name: 'prometheus.tar', bytes: 7, sha256 }] }]
  mkdirSync(join(folder, host))
  writeFileSync(join(folder, host, 'prometheus.tar'), content)
  const manifest = { vestal: 'backup/1', host, run: 'r', at: '2026-11-22T12:00:00Z', parts, ...more }
  writeFileSync(join(folder, host, 'manifest.json'), JSON.stringify(manifest))
}
const refusal = () =>
  readBackup(folder).then(
    () => 'no error',
    (error: Error) => error.message.replaceAll(folder, '~'),
  )

test('a whole backup is read, a host that was not finished left out', async () => {
  write('prom-1', 'samples')
  mkdirSync(join(folder, '.prom-2.part'))
  expect([...(await readBackup(folder)).keys()]).toEqual(['prom-1'])
})
test('a file that is not what was backed up is refused, and all such are told', async () => {
  write('prom-1', 'sampleX')
  write('prom-2', 'samples')
  rmSync(join(folder, 'prom-2', 'prometheus.tar'))
  expect(await refusal()).toContain('~/prom-1/prometheus.tar: is not the file of 7 bytes that was backed up')
  expect(await refusal()).toContain('~/prom-2/prometheus.tar: is missing')
})
test('a folder without a backup, or with one of another form, is refused', async () => {
  expect(await refusal()).toBe('~: holds no backup of any host')
  write('prom-1', 'samples', { vestal: 'backup/2' })
  expect(await refusal()).toBe('~/prom-1/manifest.json: is no manifest of a backup that this version understands')
})
