import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { Header, type HeaderData } from 'tar'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkArchive, cleaned } from '../../../../fleet/backup/clean-archive.ts'
import { data as alertmanager } from '../../../../roles/alertmanager/data.ts'
import { data as prometheus } from '../../../../roles/prometheus/data.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vestal-archive-'))
})
afterEach(() => rmSync(root, { recursive: true }))

const BLOCK = '01HAAAAAAAAAAAAAAAAAAAAAAA'
/** An entry as it stands in an archive: whatever its header says, and what follows it. */
const entry = (header: HeaderData, content = ''): Buffer => {
  const block = Buffer.alloc(512)
  new Header({ type: 'File', mode: 0o644, size: Buffer.byteLength(content), mtime: new Date(0), ...header }).encode(
    block,
  )
  const body = Buffer.alloc(Math.ceil(Buffer.byteLength(content) / 512) * 512)
  body.write(content)
  return Buffer.concat([block, body])
}
const pax = (records: Readonly<Record<string, string>>, of: Buffer): Buffer => {
  const text = Object.entries(records)
    .map(([key, value]) => {
      const rest = ` ${key}=${value}\n`
      const length = [...Array(9).keys()]
        .map((n) => rest.length + n)
        .find((all) => `${all}`.length + rest.length === all)
      return `${length}${rest}`
    })
    .join('')
  return Buffer.concat([entry({ path: 'PaxHeader/x', type: 'ExtendedHeader' }, text), of])
}
/** As GNU tar writes one: its type is said to be sparse. */
const sparse = (path: string): Buffer => {
  const all = entry({ path }, 'hello')
  all.write('S', 156)
  all.fill(' ', 148, 156)
  const sum = all.subarray(0, 512).reduce((total, byte) => total + byte, 0)
  all.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return all
}
const archive = (...entries: readonly Buffer[]): string => {
  const path = join(root, 'a.tar')
  writeFileSync(path, Buffer.concat([...entries, Buffer.alloc(1024)]))
  return path
}
const refusal = (path: string, names?: RegExp): Promise<string> =>
  checkArchive(path, names).then(
    () => 'taken',
    (error: Error) => error.message.replaceAll(path, '~').split('\n')[0] ?? '',
  )

describe('an honest archive', () => {
  test('of a TSDB is sent as it was, with plain modes and no owner', async () => {
    const from = join(root, 'data')
    for (const folder of [`${BLOCK}/chunks`, 'wal/checkpoint.00000002'])
      mkdirSync(join(from, folder), { recursive: true })
    const files = {
      [`${BLOCK}/meta.json`]: '{}',
      [`${BLOCK}/chunks/000001`]: 'x'.repeat(70_000),
      'wal/00000003': 'samples',
      'wal/checkpoint.00000002/00000000': '',
    }
    for (const [name, content] of Object.entries(files)) writeFileSync(join(from, name), content, { mode: 0o644 })
    const path = join(root, 'made.tar')
    execFileSync('tar', ['--create', '--numeric-owner', `--file=${path}`, `--directory=${from}`, '.'])
    const { bytes, sha256 } = await checkArchive(path, prometheus.archived)
    const sent = await buffer(cleaned(path, prometheus.archived))
    expect([sent.length, createHash('sha256').update(sent).digest('hex')]).toEqual([bytes, sha256])
    const into = join(root, 'into')
    mkdirSync(into)
    execFileSync('tar', ['--extract', '--same-permissions', `--directory=${into}`], { input: sent })
    for (const [name, content] of Object.entries(files)) {
      expect(readFileSync(join(into, name), 'utf8')).toBe(content)
      expect(statSync(join(into, name)).mode & 0o7777).toBe(0o600)
    }
    expect(execFileSync('tar', ['-tv', '--numeric-owner'], { input: sent }).toString()).toMatch(/^(?:\S+ 0\/0 .*\n)+$/)
  })
  test('of an Alertmanager, which may hold neither file, is taken', async () => {
    const files = archive(entry({ path: './', type: 'Directory' }), entry({ path: './nflog' }, 'log'))
    expect(await refusal(files, alertmanager.archived)).toBe('taken')
    expect(await refusal(archive(entry({ path: './', type: 'Directory' })), alertmanager.archived)).toBe('taken')
  })
})

describe('what no data has is refused by name:', () => {
  const link = { linkpath: '/etc/shadow' }
  test.each<[string, readonly Buffer[], string]>([
    ['a symbolic link', [entry({ path: 'wal', type: 'SymbolicLink', ...link })], '"wal" is a SymbolicLink'],
    ['a hard link', [entry({ path: 'wal/00000001', type: 'Link', ...link })], '"wal/00000001" is a Link'],
    ['a device', [entry({ path: 'wal/00000001', type: 'CharacterDevice', devmaj: 1 })], 'is a CharacterDevice'],
    ['a block device', [entry({ path: 'wal/00000001', type: 'BlockDevice' })], 'is a BlockDevice'],
    ['a pipe', [entry({ path: 'wal/00000001', type: 'FIFO' })], 'is a FIFO'],
    ['a set-user-id file', [entry({ path: 'wal/00000001', mode: 0o4755 })], 'has the mode 4755'],
    ['a set-group-id folder', [entry({ path: 'wal/', type: 'Directory', mode: 0o2755 })], 'has the mode 2755'],
    ['a way up', [entry({ path: 'wal/../../x' })], '"wal/../../x" leads out of its folder'],
    [
      'an absolute name',
      [entry({ path: './', type: 'Directory' }), entry({ path: '/etc/passwd' })],
      'leads out of its folder',
    ],
    [
      'an absolute name by way of pax',
      [pax({ path: '/etc/passwd' }, entry({ path: 'wal/00000001' }))],
      '"/etc/passwd"',
    ],
    [
      'a link by way of pax',
      [pax({ linkpath: '/etc' }, entry({ path: 'wal', type: 'SymbolicLink', linkpath: 'x' }))],
      'a SymbolicLink',
    ],
    ['a name of control characters', [entry({ path: 'wal/\x1b[2J' })], '"wal/\\u001b[2J" has a name that no data has'],
    ['a name of a restore at work', [entry({ path: '.vestal-before-restore/' })], 'is no part of this data'],
    [
      'a name that is there twice',
      [entry({ path: 'wal/00000001' }), entry({ path: './wal//00000001' })],
      'is there twice',
    ],
    ['a name inside a file', [entry({ path: 'wal' }), entry({ path: 'wal/00000001' })], 'is inside a file'],
    ['a file with holes', [sparse('wal/00000001')], '"wal/00000001" is a SparseFile'],
    [
      'a header of a header that is longer than any',
      [entry({ path: 'x', type: 'ExtendedHeader' }, 'x'.repeat(3_000_000)), entry({ path: 'wal/00000001' })],
      '"x" is a ExtendedHeader',
    ],
    ['a file longer than the archive', [entry({ path: 'wal/00000001', size: 9 * 2 ** 30 })], 'it has 9663676416 bytes'],
    [
      'a length by way of pax that is not there',
      [pax({ size: '4000' }, entry({ path: 'wal/00000001' }, 'x'))],
      'says that it has 4000 bytes',
    ],
    [
      'a length that no computer counts to',
      [pax({ size: '99999999999999999999' }, entry({ path: 'wal/00000001' }, 'x'))],
      'says that it has 100000000000000000000 bytes',
    ],
    [
      'a name that no plain header holds',
      [pax({ path: `${BLOCK}/${'a'.repeat(150)}` }, entry({ path: 'wal/1' }))],
      'a name that no data has',
    ],
    ['a long name', [pax({ path: `wal/${'x'.repeat(300)}` }, entry({ path: 'wal/1' }))], 'a name that no data has'],
  ])('%s', async (_, entries, what) => {
    expect(await refusal(archive(...entries))).toContain(what)
  })
  test('a name that a TSDB, or an Alertmanager, does not have', async () => {
    const strange = archive(entry({ path: 'ld.so.preload' }))
    expect(await refusal(strange, prometheus.archived)).toBe(
      '~: is refused: its entry "ld.so.preload" is no part of this data',
    )
    expect(await refusal(archive(entry({ path: 'silences/x' })), alertmanager.archived)).toContain('is no part of')
  })
  test('a length by way of pax that hides what follows: what is inside of a file is no entry', async () => {
    const hidden = entry({ path: '/etc/ld.so.preload' }, 'x')
    const hiding = archive(pax({ size: `${hidden.length}` }, entry({ path: 'wal/00000001', size: 0 })), hidden)
    expect(await refusal(hiding, prometheus.archived)).toBe('taken')
    const sent = await buffer(cleaned(hiding, prometheus.archived))
    expect(execFileSync('tar', ['-t'], { input: sent }).toString()).toBe('wal/00000001\n')
  })
  test('a time before all times, or after, is none', async () => {
    const odd = archive(entry({ path: 'wal/00000001', mtime: new Date(-5_000) }), entry({ path: 'wal/00000002' }))
    expect(await refusal(odd, prometheus.archived)).toBe('taken')
  })
  test('five problems are named, not all', async () => {
    const many = archive(...Array.from({ length: 9 }, (_, n) => entry({ path: `wal/${n}`, type: 'FIFO' })))
    const error = await checkArchive(many, undefined).catch(({ mistakes }) => mistakes)
    expect(error).toHaveLength(5)
  })
})

describe('what is no whole, plain tar archive is refused:', () => {
  const whole = () => archive(entry({ path: 'wal/00000001' }, 'x'.repeat(5_000)))
  test('one that was compressed, which could unpack to any size', async () => {
    const path = whole()
    writeFileSync(path, gzipSync(readFileSync(path)))
    expect(await refusal(path)).toContain('is not a whole tar archive')
    const disguised = Buffer.concat([gzipSync(Buffer.alloc(1_000_000)), Buffer.alloc(1024)])
    disguised.write('ustar', 257, 'latin1')
    writeFileSync(path, disguised)
    expect(await refusal(path)).toContain('is not a whole tar archive')
  })
  test('one that was cut off', async () => {
    const path = whole()
    truncateSync(path, 5_200)
    expect(await refusal(path)).toContain('is not a whole tar archive')
  })
  test('one whose checksum of a header is wrong, an empty one, and one of noise', async () => {
    const path = whole()
    const bytes = readFileSync(path)
    bytes.write('X', 0)
    writeFileSync(path, bytes)
    expect(await refusal(path)).toContain('is not a whole tar archive')
    for (const noise of [Buffer.alloc(0), Buffer.alloc(4_096, 'noise')]) {
      writeFileSync(path, noise)
      expect(await refusal(path)).toContain('is not a whole tar archive')
    }
  })
})
