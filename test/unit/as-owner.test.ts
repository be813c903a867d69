import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { still } from '../../fleet/backup/scripts.ts'
import { asAccount, asOwner, onlyRootsWay } from '../../lib/as-owner.ts'
import { data as tsdb } from '../../roles/prometheus/data.ts'

const NOBODY = 65_534
let root = ''
let data = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vestal-owner-'))
  data = join(root, "it's data")
  mkdirSync(data)
  chmodSync(root, 0o755)
})
afterEach(() => rmSync(root, { recursive: true }))

const sh = (script: string, input = '') => spawnSync('sh', ['-c', script], { input, encoding: 'utf8' })

test('where the folder is the caller’s, its script runs as the caller, inside of it, and ends with its code', () => {
  const { stdout, status } = sh(asOwner(data, 'id -u; pwd; echo "$1"; cat; exit 7', ['"$(echo a b)"']), 'input')
  expect([stdout, status]).toEqual([`${process.getuid?.()}\n${data}\na b\ninput`, 7])
})
test('a folder that is not there is an error', () => {
  expect(sh(asOwner(join(root, 'none'), 'echo done'))).toMatchObject({ stdout: '', status: 1 })
})

describe.runIf(process.getuid?.() === 0)('run by root, in a folder of a service’s account', () => {
  beforeEach(() => chownSync(data, NOBODY, NOBODY))

  test('a script is that account and nobody else, and can become nobody else', () => {
    const { stdout } = sh(asOwner(data, 'id -u; id -G; grep -E "^(NoNewPrivs|CapEff|CapInh):" /proc/self/status'))
    expect(stdout.replaceAll('\t', ' ').split('\n').sort()).toEqual(
      ['', `${NOBODY}`, `${NOBODY}`, 'CapEff: 0000000000000000', 'CapInh: 0000000000000000', 'NoNewPrivs: 1'].sort(),
    )
  })
  test('a named account is so in any folder', () => {
    chmodSync(data, 0o777)
    chownSync(data, 0, 0)
    expect(sh(asAccount('nobody', data, 'id -u; id -G; touch made; pwd')).stdout).toBe(
      `${NOBODY}\n${NOBODY}\n${data}\n`,
    )
    expect(statSync(join(data, 'made')).uid).toBe(NOBODY)
    expect(sh(asAccount('no-such-account', data, 'id -u'))).toMatchObject({ stdout: '', status: 1 })
  })
  test('it has none of root’s open files and variables', () => {
    writeFileSync(join(root, 'secret'), 'for root', { mode: 0o600 })
    const inside = asOwner(data, 'echo "${TOKEN:-none}"; cat <&5 2>/dev/null || echo closed')
    expect(sh(`exec 5<'${root}/secret'; export TOKEN=x; ${inside}`).stdout).toBe('none\nclosed\n')
  })
  test('a link that the account planted is followed by the account, not by root', () => {
    const system = join(root, 'system')
    mkdirSync(system, { mode: 0o755 })
    writeFileSync(join(system, 'shadow'), 'hashes', { mode: 0o600 })
    mkdirSync(join(data, '01HAAAAAAAAAAAAAAAAAAAAAAA'))
    symlinkSync(system, join(data, 'wal'))
    symlinkSync(system, join(data, '.vestal-backup'))
    for (const path of [join(data, '01HAAAAAAAAAAAAAAAAAAAAAAA')]) chownSync(path, NOBODY, NOBODY)
    const { status, stderr } = sh(still(data, { freeze: tsdb.freeze }))
    expect(status).not.toBe(0)
    expect(stderr).toMatch(/^the storage is being compacted, or cannot be copied \(.*Permission denied\); try again/)
    expect(readFileSync(join(system, 'shadow'), 'utf8')).toBe('hashes')
    expect([statSync(system).uid, existsSync(join(system, 'wal'))]).toEqual([0, false])
    expect(lstatSync(join(data, 'wal')).isSymbolicLink()).toBe(true)
  })
  test('it has its own group, not the folder’s', () => {
    chownSync(data, NOBODY, 0)
    expect(sh(asOwner(data, 'id -G')).stdout).toBe(`${NOBODY}\n`)
  })
  describe('in a folder inside of one that the account owns', () => {
    const inner = () => join(data, 'metrics2')
    test('a script is the account', () => {
      mkdirSync(inner())
      chownSync(inner(), NOBODY, NOBODY)
      expect(sh(asOwner(inner(), 'id -u; pwd')).stdout).toBe(`${NOBODY}\n${inner()}\n`)
    })
    test('that it has made a link to a folder of root’s, nothing is run', () => {
      const system = join(root, 'system')
      mkdirSync(system)
      symlinkSync(system, inner())
      const { stdout, stderr, status } = sh(asOwner(inner(), 'id -u'))
      expect([stdout, status]).toEqual(['', 1])
      expect(stderr).toContain(`but ${data} on the way to it to user ${NOBODY}`)
    })
    test('that is root’s own, nothing is run: the account could exchange it', () => {
      mkdirSync(inner())
      expect(sh(asOwner(inner(), 'id -u'))).toMatchObject({ stdout: '', status: 1 })
    })
    test('root writes nothing', () => {
      const { stdout, stderr } = sh(`${onlyRootsWay(join(inner(), 'file'))}echo written`)
      expect([stdout, stderr.split(',')[0]]).toEqual(['', `${data} belongs to user ${NOBODY}`])
    })
  })
  test('a link of root’s on the way is followed, wherever it leads', () => {
    const disk = join(root, 'disk')
    mkdirSync(disk)
    symlinkSync('../x', join(disk, 'a'))
    symlinkSync(`./disk/../${"it's data"}`, join(root, 'x'))
    expect(sh(asOwner(join(disk, 'a'), 'id -u')).stdout).toBe(`${NOBODY}\n`)
    chownSync(data, 0, 0)
    expect(sh(asOwner(join(disk, 'a'), 'id -u')).stdout).toBe('0\n')
    expect(sh(`${onlyRootsWay(join(disk, 'a', 'file'))}echo written`).stdout).toBe('written\n')
  })
  test('a ring of links ends', () => {
    symlinkSync('b', join(root, 'a'))
    symlinkSync('a', join(root, 'b'))
    expect(sh(asOwner(join(root, 'a'), 'id -u'))).toMatchObject({ stdout: '', status: 1 })
  })
  test.each([0o777, 0o775])('root does nothing in a folder of its own with the mode %o', (mode) => {
    chownSync(data, 0, 12_345)
    chmodSync(data, mode)
    const { stdout, stderr, status } = sh(asOwner(data, 'id -u'))
    expect([stdout, status]).toEqual(['', 1])
    expect(stderr).toContain('others than root may write in')
  })
})
