import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { clearAside, handOver, still, swapBack, swapIn, takeIn } from '../../../../fleet/backup/scripts.ts'
import { data as tsdbData } from '../../../../roles/prometheus/data.ts'

let root = ''
let data = ''
/** A systemctl that writes down what it was asked, and fails to start when told. */
const SYSTEMCTL = `#!/bin/sh
echo "$1" >>"$ROOT/asked"
if [ "$1" = start ] && [ -e "$ROOT/refuse" ]; then rm "$ROOT/refuse"; exit 1; fi
`
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vestal-scripts-'))
  data = join(root, "it's data")
  mkdirSync(join(root, 'bin'))
  writeFileSync(join(root, 'bin', 'systemctl'), SYSTEMCTL)
  chmodSync(join(root, 'bin', 'systemctl'), 0o755)
  tsdb(['01HAAAAAAAAAAAAAAAAAAAAAAA'], 'old')
})
afterEach(() => rmSync(root, { recursive: true }))

const tsdb = (blocks: readonly string[], content: string): void => {
  for (const folder of ['wal', 'chunks_head', ...blocks]) {
    mkdirSync(join(data, folder), { recursive: true })
    writeFileSync(join(data, folder, '00000001'), `${folder} ${content}`)
  }
  writeFileSync(join(data, 'lock'), '')
}
const sh = (script: string, input?: Buffer) =>
  spawnSync('sh', ['-c', script], {
    input,
    env: { ...process.env, ROOT: root, PATH: `${root}/bin:${process.env.PATH}` },
  })
const archive = (): Buffer => {
  expect(sh(still(data, tsdbData)).status).toBe(0)
  return sh(handOver(data)).stdout
}
const prepare = (tar: Buffer) =>
  sh(takeIn(data, { bytes: tar.length, sha256: createHash('sha256').update(tar).digest('hex') }), tar)
const block = () => readFileSync(join(data, '01HAAAAAAAAAAAAAAAAAAAAAAA', '00000001'), 'utf8')
const served = () =>
  readdirSync(data)
    .filter((name) => !name.startsWith('.'))
    .sort()
const unit = { unit: 'prometheus.service' }

test('a still copy has the blocks and the WAL, and what is made from them is left out', () => {
  const names = execFileSync('tar', ['-t'], { input: archive() }).toString().split('\n').filter(Boolean).sort()
  expect(names).toEqual([
    './',
    './01HAAAAAAAAAAAAAAAAAAAAAAA/',
    './01HAAAAAAAAAAAAAAAAAAAAAAA/00000001',
    './wal/',
    './wal/00000001',
  ])
})
test('an archive takes the place of everything there is, and the service is started on it', () => {
  const tar = archive()
  writeFileSync(join(data, '01HAAAAAAAAAAAAAAAAAAAAAAA', '00000001'), 'new')
  tsdb(['01HBBBBBBBBBBBBBBBBBBBBBBB'], 'new')
  expect(prepare(tar).status).toBe(0)
  expect(sh(swapIn(data, unit)).stderr.toString()).toBe('')
  expect(sh(clearAside(data)).status).toBe(0)
  expect(
    readdirSync(data)
      .filter((name) => name !== '.vestal-backup')
      .sort(),
  ).toEqual(['01HAAAAAAAAAAAAAAAAAAAAAAA', 'wal'])
  expect(block()).toBe('01HAAAAAAAAAAAAAAAAAAAAAAA old')
  expect(readFileSync(join(root, 'asked'), 'utf8')).toBe('stop\nstart\n')
})
test('what was there before can be put back', () => {
  const tar = archive()
  rmSync(join(data, '01HAAAAAAAAAAAAAAAAAAAAAAA'), { recursive: true })
  tsdb(['01HBBBBBBBBBBBBBBBBBBBBBBB'], 'new')
  prepare(tar)
  sh(swapIn(data, unit))
  expect(sh(swapBack(data, unit)).status).toBe(0)
  expect(
    readdirSync(data)
      .filter((name) => !name.startsWith('.'))
      .sort(),
  ).toEqual(['01HBBBBBBBBBBBBBBBBBBBBBBB', 'chunks_head', 'lock', 'wal'])
  expect(existsSync(join(data, '.vestal-before-restore'))).toBe(false)
})
test('an archive that did not arrive whole changes nothing', () => {
  const tar = archive()
  const cut = sh(
    takeIn(data, { bytes: tar.length, sha256: createHash('sha256').update(tar).digest('hex') }),
    tar.subarray(0, 600),
  )
  expect([cut.status, cut.stderr.toString()]).toEqual([1, 'what arrived is not what was sent\n'])
  expect(readdirSync(data).sort()).toEqual([
    '.vestal-backup',
    '01HAAAAAAAAAAAAAAAAAAAAAAA',
    'chunks_head',
    'lock',
    'wal',
  ])
})
test('a restore that was cut off while it put data aside is taken back before the next one', () => {
  const tar = archive()
  prepare(tar)
  mkdirSync(join(data, '.vestal-before-restore.part'))
  renameSync(join(data, 'chunks_head'), join(data, '.vestal-before-restore.part', 'chunks_head'))
  writeFileSync(join(root, 'refuse'), '')
  expect(sh(swapIn(data, unit)).status).toBe(1)
  expect(sh(swapBack(data, unit)).status).toBe(0)
  expect(served()).toEqual(['01HAAAAAAAAAAAAAAAAAAAAAAA', 'chunks_head', 'lock', 'wal'])
})
test('a restore that was cut off after the exchange is taken back before the next one', () => {
  const tar = archive()
  tsdb(['01HBBBBBBBBBBBBBBBBBBBBBBB'], 'new')
  prepare(tar)
  sh(swapIn(data, unit))
  expect(served()).toEqual(['01HAAAAAAAAAAAAAAAAAAAAAAA', 'wal'])
  prepare(tar)
  expect(sh(swapIn(data, unit)).status).toBe(0)
  expect(sh(swapBack(data, unit)).status).toBe(0)
  expect(served()).toEqual(['01HAAAAAAAAAAAAAAAAAAAAAAA', '01HBBBBBBBBBBBBBBBBBBBBBBB', 'chunks_head', 'lock', 'wal'])
})
test('only the files of an Alertmanager are exchanged', () => {
  const tar = archive()
  rmSync(join(data, '01HAAAAAAAAAAAAAAAAAAAAAAA'), { recursive: true })
  writeFileSync(join(data, 'wal', '00000001'), 'new')
  prepare(tar)
  expect(sh(swapIn(data, { unit: 'alertmanager.service', names: ['wal', 'missing'] })).status).toBe(0)
  expect(readFileSync(join(data, 'wal', '00000001'), 'utf8')).toBe('wal old')
  expect(existsSync(join(data, 'chunks_head'))).toBe(true)
})
