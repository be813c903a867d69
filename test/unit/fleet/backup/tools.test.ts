import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { download, type Tools } from '../../../../fleet/backup/tools.ts'
import type { Connection, ExecOptions, Host } from '../../../../lib/model.ts'

const MIB = 1024 * 1024
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vestal-download-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const host = { name: 'am-1', address: '10.0.0.1', groups: [], vars: {} } as unknown as Host
/** A host that sends what it likes, until it is told to stop. */
const sends = (pieces: () => Iterable<Buffer>): Tools => ({
  lock: { run: 'r', command: 'c', owner: 'o', since: 's', break: false },
  progress: () => {},
  reach: async () =>
    ({
      host,
      exec: async (_: string, { onStdout, signal }: ExecOptions) => {
        for (const piece of pieces()) {
          signal?.throwIfAborted()
          onStdout?.(piece)
        }
        return { code: 0, stdout: Buffer.alloc(0), stderr: '' }
      },
    }) as unknown as Connection,
})
const fetched = (tools: Tools, bytes: number, into = folder) =>
  download(tools, host, { script: 'tar', task: 'backup prometheus', path: join(into, 'a.tar'), bytes }).catch(
    ({ message }: Error) => message,
  )
function* endless(): Iterable<Buffer> {
  for (;;) yield Buffer.alloc(MIB)
}

test('what a host sends is written as it came', async () => {
  const sha256 = createHash('sha256').update('onetwo').digest('hex')
  expect(
    await fetched(
      sends(() => [Buffer.from('one'), Buffer.from('two')]),
      6,
    ),
  ).toEqual({
    name: 'a.tar',
    bytes: 6,
    sha256,
  })
  expect(readFileSync(join(folder, 'a.tar'), 'utf8')).toBe('onetwo')
})
test('a host that never ends is told to, soon after what it has said, and nothing of it stays', async () => {
  let pieces = 0
  const counted = function* (): Iterable<Buffer> {
    for (const piece of endless()) {
      pieces += 1
      yield piece
    }
  }
  expect(await fetched(sends(counted), 10)).toBe('it sends more than the 10 bytes it has said')
  expect([existsSync(join(folder, 'a.tar')), pieces]).toEqual([false, 66])
})
test.each([Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY])(
  'a host that says %d bytes is not begun with',
  async (bytes) => {
    expect(await fetched(sends(endless), bytes)).toContain(`it would send ${bytes} bytes, and ${folder} has room for`)
    expect(existsSync(join(folder, 'a.tar'))).toBe(false)
  },
)

describe.runIf(process.getuid?.() === 0)('a disk of our own that', () => {
  const disk = (mebibytes: number): void =>
    void execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'vestal-test', folder])
  afterEach(() => execFileSync('umount', [folder]))

  test('is nearly full is not filled by a host', async () => {
    disk(70)
    expect(await fetched(sends(endless), 8 * MIB)).toContain('it would send 8388608 bytes')
  })
  test('fills meanwhile ends the download, and nothing of it stays', async () => {
    disk(70)
    const meanwhile = function* (): Iterable<Buffer> {
      yield Buffer.alloc(MIB)
      const { bavail, bsize } = statfsSync(folder)
      writeFileSync(join(folder, 'ballast'), Buffer.alloc(bavail * bsize - 4096))
      yield Buffer.alloc(MIB)
      yield Buffer.alloc(MIB)
    }
    expect(await fetched(sends(meanwhile), 2 * MIB)).toMatch(/a\.tar: ENOSPC/)
    expect(existsSync(join(folder, 'a.tar'))).toBe(false)
  })
})
