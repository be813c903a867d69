import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { listEntries } from '../../../lib/releases/entries.ts'
import { type Entry, prometheus, tarOf, usual } from './mirror.ts'

const folder = mkdtempSync(join(tmpdir(), 'vestal-entries-'))
afterAll(() => rmSync(folder, { recursive: true }))

const list = (bytes: Buffer): Promise<readonly string[]> => {
  writeFileSync(join(folder, 'x.tar.gz'), bytes)
  return listEntries(join(folder, 'x.tar.gz'), 'release x')
}
const good = usual(prometheus)

test('the plain files of a tarball are listed', async () => {
  const more: Entry[] = [
    { path: './prometheus-3.5.3.linux-amd64/consoles/', type: 'Directory' },
    { path: 'prometheus-3.5.3.linux-amd64/consoles/a', type: 'SymbolicLink', linkpath: '../LICENSE' },
    { path: 'prometheus-3.5.3.linux-amd64/consoles/b', type: 'Link', linkpath: 'prometheus-3.5.3.linux-amd64/LICENSE' },
  ]
  expect(await list(gzipSync(tarOf([...good, ...more])))).toEqual(good.map(({ path }) => path))
})

const outside = 'would be unpacked outside its folder'
test.each<[string, Entry, string]>([
  ['leaves its folder', { path: '../../etc/cron.d/x', content: 'x' }, `"../../etc/cron.d/x" ${outside}`],
  ['leaves its folder on the way', { path: 'a/../../x', content: 'x' }, `"a/../../x" ${outside}`],
  ['is absolute', { path: '/etc/cron.d/x', content: 'x' }, `"/etc/cron.d/x" ${outside}`],
  [
    'links to an absolute path',
    { path: 'a/b', type: 'SymbolicLink', linkpath: '/etc/shadow' },
    '"a/b" links outside its folder, to "/etc/shadow"',
  ],
  [
    'links upwards',
    { path: 'a/b', type: 'SymbolicLink', linkpath: '../../x' },
    '"a/b" links outside its folder, to "../../x"',
  ],
  [
    'is a hard link upwards',
    { path: 'a/b', type: 'Link', linkpath: '../x' },
    '"a/b" links outside its folder, to "../x"',
  ],
  ['is a device', { path: 'a/null', type: 'CharacterDevice' }, '"a/null" is a CharacterDevice'],
])('a tarball is refused when an entry %s', async (_, entry, says) => {
  await expect(list(gzipSync(tarOf([...good, entry])))).rejects.toThrow(`release x: is refused: its entry ${says}`)
})

test.each([
  ['cut short', gzipSync(tarOf(good)).subarray(0, 200)],
  ['cut short inside the archive', gzipSync(tarOf(good).subarray(0, 700))],
  ['no archive at all', Buffer.from('<html>Not found</html>')],
  ['an archive of something else', gzipSync('x'.repeat(2048))],
])('a tarball that is %s is refused', async (_, bytes) => {
  await expect(list(bytes)).rejects.toThrow('release x: is not a whole gzipped tarball')
})
