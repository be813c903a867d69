import { writeFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { lockFile } from '../../../lib/releases/lock-file.ts'
import { vestal } from '../vestal.ts'
import { fleetOf, inventoryOf } from './fleet.ts'
import { CRASHING, type Entry, mirrorWith, sha256, tarballOf, VERSION } from './mirror.ts'
import { expectUnharmed, expectUntouched, type State, standing, stateOf } from './state.ts'

const fleet = fleetOf(0)
let before: State

beforeAll(async () => {
  await standing(fleet)
  before = await stateOf(fleet)
})

/** Deploys a fleet whose node_exporter comes from this mirror. */
const deployFrom = (releases: string) =>
  vestal(['deploy', '-i', inventoryOf(fleet, { all: { vestal: { releases }, node_exporter: { version: VERSION } } })])

// None of these is ever fetched whole and in order, so none is ever known to the controller.
const good = tarballOf(`${CRASHING}# as published\n`)
const mirrorWithEntry = (entry: Entry) => mirrorWith(tarballOf(CRASHING, [entry]))
const RELEASE = `release prometheus/node_exporter ${VERSION} linux-amd64:`

describe('a release that cannot be trusted', () => {
  const untrusted = [
    {
      fault: 'has another checksum than sha256sums.txt says',
      mirror: mirrorWith(good, { sum: sha256(Buffer.from('another')) }),
      says: [
        `has the checksum ${sha256(good)} (${good.length} bytes), but file:`,
        'It was cut short, damaged or changed',
      ],
    },
    {
      fault: 'is cut short',
      mirror: mirrorWith(good.subarray(0, 200), { sum: sha256(good) }),
      says: ['(200 bytes), but file:', `sha256sums.txt says ${sha256(good)}`],
    },
    {
      fault: 'was cut short before its checksum was taken',
      mirror: mirrorWith(good.subarray(0, 200)),
      says: ['is not a whole gzipped tarball: zlib: unexpected end of file'],
    },
    { fault: 'is empty', mirror: mirrorWith(Buffer.alloc(0)), says: ['is not a whole gzipped tarball'] },
    {
      fault: 'has an entry above its folder',
      mirror: mirrorWithEntry({ path: '../../etc/cron.d/evil', text: 'x' }),
      says: ['is refused: its entry "../../etc/cron.d/evil" would be unpacked outside its folder'],
    },
    {
      fault: 'has an entry from the root',
      mirror: mirrorWithEntry({ path: '/etc/cron.d/evil', text: 'x' }),
      says: ['is refused: its entry "/etc/cron.d/evil" would be unpacked outside its folder'],
    },
    {
      fault: 'has a link that points out of its folder',
      mirror: mirrorWithEntry({ path: 'a/link', type: 'SymbolicLink', linkpath: '../../etc' }),
      says: ['is refused: its entry "a/link" links outside its folder, to "../../etc"'],
    },
    {
      fault: 'has a hard link to a file of the machine',
      mirror: mirrorWithEntry({ path: 'a/link', type: 'Link', linkpath: '/etc/shadow' }),
      says: ['is refused: its entry "a/link" links outside its folder, to "/etc/shadow"'],
    },
    {
      fault: 'has a device in it',
      mirror: mirrorWithEntry({ path: 'a/disk', type: 'CharacterDevice' }),
      says: ['is refused: its entry "a/disk" is a CharacterDevice'],
    },
    { fault: 'has no checksum', mirror: mirrorWith(good, { sum: null }), says: ['sha256sums.txt has no checksum of'] },
    {
      fault: 'is not in the mirror',
      mirror: mirrorWith(good, { arch: 'arm64' }),
      says: ['has no checksum of node_exporter-9.9.9.linux-amd64.tar.gz'],
    },
    {
      fault: 'lies in a mirror that is not there',
      // Whichever is asked for first.
      release: 'release prometheus/',
      mirror: 'file:/nonexistent',
      says: [
        'cannot be fetched: there is no file /nonexistent/',
        'Check the version, and where `vestal.releases` points.',
      ],
    },
  ]
  for (const { fault, mirror, says, release = RELEASE } of untrusted) {
    it.concurrent(fault, async () => {
      const { code, stderr } = await deployFrom(mirror)
      for (const words of [release, ...says, 'no machine was touched']) expect(stderr).toContain(words)
      expect(code).toBe(2)
    })
  }

  it('has touched no machine', async () => expectUntouched(before, await stateOf(fleet)))

  it('is refused on the host, and what was in force stays so, where it changed after it was remembered', async () => {
    const releases = mirrorWith(good)
    const inventory = inventoryOf(fleet, {
      all: { vestal: { releases } },
      node: { node_exporter: { version: VERSION } },
    })
    const remembered = sha256(Buffer.from('remembered'))
    const lock = { [`prometheus/node_exporter ${VERSION} linux-amd64`]: { url: releases, sha256: remembered } }
    writeFileSync(lockFile(inventory), JSON.stringify({ version: 1, releases: lock }))
    const { code, stdout } = await vestal(['deploy', '-i', inventory])
    expect(stdout).toContain(`failed node: release node_exporter ${VERSION}: ${RELEASE}`)
    expect(stdout).toContain(`but the lock file ${lockFile(inventory)} says ${remembered}`)
    expect(code).toBe(1)
    expectUnharmed(before, await stateOf(fleet))
  })
})
