import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import type { Inventory } from '../../../lib/model.ts'
import { lockFile, readPins } from '../../../lib/releases/lock-file.ts'
import { pinned } from '../../../lib/releases/pinned.ts'
import { type Mirror, mirror, prometheus, usual } from './mirror.ts'

/** Each call is a run of its own. */
const run = (at: Mirror): Inventory => ({ name: 'test', folder: at.inventory, hosts: [], roles: [] })
const pin = (at: Mirror, build = prometheus) => pinned(run(at), at.releases, build)

test('a release is found, verified, kept, and its checksum remembered', async () => {
  using at = mirror()
  const sha256 = at.publish(prometheus)
  const found = await pin(at)
  expect(found.sha256).toBe(sha256)
  expect(await readPins(at.inventory)).toEqual({
    'prometheus/prometheus 3.5.3 linux-amd64': { url: `file:${at.tarball(prometheus)}`, sha256 },
  })
  expect((await found.fetched()).path).toBe(join(at.cache, sha256))
  expect(readFileSync(join(at.cache, sha256))).toEqual(readFileSync(at.tarball(prometheus)))
})

test('once remembered, nothing is asked of the source until a host lacks it', async () => {
  using at = mirror()
  const sha256 = at.publish(prometheus)
  await pin(at)
  rmSync(join(at.root, 'mirror'), { recursive: true })
  const found = await pin(at)
  expect(found.sha256).toBe(sha256)
  expect((await found.fetched()).path).toBe(join(at.cache, sha256))
  rmSync(at.cache, { recursive: true })
  await expect((await pin(at)).fetched()).rejects.toThrow(
    `cannot be fetched: there is no file ${at.tarball(prometheus)}`,
  )
})

test('a build that two hosts take from two places is one file, or a mistake that names both', async () => {
  using at = mirror()
  const one = at.publish(prometheus)
  const elsewhere = join(at.root, 'elsewhere')
  cpSync(join(at.root, 'mirror'), elsewhere, { recursive: true })
  const both = (inventory: Inventory) =>
    Promise.all([at.releases, `file:${elsewhere}`].map((releases) => pinned(inventory, releases, prometheus)))
  expect((await both(run(at))).map(({ sha256 }) => sha256)).toEqual([one, one])
  rmSync(lockFile(at.inventory))
  const more = { path: 'prometheus-3.5.3.linux-amd64/more', content: 'x' }
  const other = at.publish(prometheus, [...usual(prometheus), more])
  await expect(both(run(at))).rejects.toThrow(
    new RegExp(`has the checksum (${one}|${other}), but file:.* has (${one}|${other}): a build is one file`),
  )
})

test('within a run each release is asked for once', async () => {
  using at = mirror()
  at.publish(prometheus)
  const one = run(at)
  const both = [pinned(one, at.releases, prometheus), pinned(one, at.releases, prometheus)]
  expect(await both[0]).toBe(await both[1])
  expect((await both[0])?.fetched()).toBe((await both[1])?.fetched())
})

test('a damaged file in the cache is fetched again', async () => {
  using at = mirror()
  const sha256 = at.publish(prometheus)
  await pin(at)
  writeFileSync(join(at.cache, sha256), 'damaged')
  const { path } = await (await pin(at)).fetched()
  expect(readFileSync(path)).toEqual(readFileSync(at.tarball(prometheus)))
})

test('what a killed run had fetched is swept away once it is an hour old', async () => {
  using at = mirror()
  const sha256 = at.publish(prometheus)
  mkdirSync(at.cache, { recursive: true })
  const [old, young] = [`${sha256}.12345.0a1b2c3d`, `${sha256}.12345.ffffffff`]
  for (const part of [old, young]) writeFileSync(join(at.cache, part), 'half')
  const age = (part: string, hours: number): void => {
    const at = new Date(Date.now() - hours * 3_600_000)
    utimesSync(part, at, at)
  }
  age(join(at.cache, old), 2)
  age(join(at.cache, young), 0)
  await pin(at)
  expect(readdirSync(at.cache).sort()).toEqual([sha256, young, `${sha256}.json`])
})

test('a tarball that changed since it was remembered is refused', async () => {
  using at = mirror()
  const before = at.publish(prometheus)
  await pin(at)
  rmSync(at.cache, { recursive: true })
  const after = at.publish(prometheus, [
    ...usual(prometheus),
    { path: 'prometheus-3.5.3.linux-amd64/more', content: 'x' },
  ])
  await expect((await pin(at)).fetched()).rejects.toThrow(
    new RegExp(
      `has the checksum ${after} \\(\\d+ bytes\\), but the lock file ${lockFile(at.inventory)} says ${before}`,
    ),
  )
})

test.each<[string, (at: Mirror) => void, RegExp]>([
  [
    'is cut short',
    (at) => truncateSync(at.tarball(prometheus), 100),
    /has the checksum .* \(100 bytes\), but .*sha256sums\.txt says/,
  ],
  [
    'is not there',
    (at) => rmSync(at.tarball(prometheus)),
    /cannot be fetched: there is no file .*prometheus-3\.5\.3\.linux-amd64\.tar\.gz/,
  ],
  [
    'has no list of checksums',
    (at) => rmSync(join(dirname(at.tarball(prometheus)), 'sha256sums.txt')),
    /cannot be fetched: there is no file .*sha256sums\.txt/,
  ],
  [
    'is not in the list of checksums',
    (at) => writeFileSync(join(dirname(at.tarball(prometheus)), 'sha256sums.txt'), ''),
    /sha256sums\.txt has no checksum of prometheus-3\.5\.3\.linux-amd64\.tar\.gz/,
  ],
  [
    'lacks a binary',
    (at) => at.publish(prometheus, usual({ ...prometheus, binaries: ['prometheus'] })),
    /holds no file <folder>\/promtool/,
  ],
  [
    'would leave its folder',
    (at) => at.publish(prometheus, [...usual(prometheus), { path: '../x', content: 'x' }]),
    /is refused: its entry "\.\.\/x" would be unpacked outside its folder/,
  ],
])('a release that %s is refused before any machine is touched, and not remembered', async (_, spoil, message) => {
  using at = mirror()
  at.publish(prometheus)
  spoil(at)
  await expect(pin(at)).rejects.toThrow(message)
  expect(existsSync(lockFile(at.inventory))).toBe(false)
  expect(
    existsSync(at.cache) ? readdirSync(at.cache).filter((name) => !/^[0-9a-f]{64}(\.json)?$/.test(name)) : [],
  ).toEqual([])
})

test('a server is asked with its credentials, and again when it is busy', async () => {
  using at = mirror()
  const sha256 = at.publish(prometheus)
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization}`)
    if (asked.length === 1) response.writeHead(503).end()
    else if (request.url?.endsWith('3.5.3/sha256sums.txt')) response.end(`${sha256}  prometheus.tgz\n`)
    else if (request.url?.endsWith('3.5.3/prometheus.tgz')) response.end(readFileSync(at.tarball(prometheus)))
    else response.writeHead(404).end()
  }).listen(0, '127.0.0.1')
  try {
    await new Promise((done) => server.once('listening', done))
    const { port } = server.address() as AddressInfo
    const releases = `http://me:secret@127.0.0.1:${port}/{version}/{name}.tgz`
    expect((await pinned(run(at), releases, prometheus)).sha256).toBe(sha256)
    const account = `Basic ${Buffer.from('me:secret').toString('base64')}`
    expect(asked).toEqual([
      `/3.5.3/sha256sums.txt ${account}`,
      `/3.5.3/sha256sums.txt ${account}`,
      `/3.5.3/prometheus.tgz ${account}`,
    ])
    expect(readFileSync(lockFile(at.inventory), 'utf8')).not.toContain('secret')
    await expect(pinned(run(at), releases, { ...prometheus, name: 'other', version: '1.0.0' })).rejects.toThrow(
      `http://127.0.0.1:${port}/1.0.0/sha256sums.txt answered 404`,
    )
  } finally {
    server.close()
  }
})

test('a server that hangs up in the middle is named, with how far it got', async () => {
  using at = mirror()
  const sha256 = at.publish(prometheus)
  const server = createServer((request, response) => {
    if (request.url?.endsWith('sums.txt')) response.end(`${sha256}  prometheus.tgz\n`)
    else response.writeHead(200, { 'content-length': 5_000 }).write('x'.repeat(1_000), () => response.destroy())
  }).listen(0, '127.0.0.1')
  try {
    await new Promise((done) => server.once('listening', done))
    const releases = `http://127.0.0.1:${(server.address() as AddressInfo).port}/{name}.tgz`
    await expect(pinned(run(at), releases, prometheus)).rejects.toThrow(/cannot be fetched: .*, after 1000 bytes/)
  } finally {
    server.close()
  }
})

test('a release that is its one binary is verified and kept as it is; what is no program is refused', async () => {
  using at = mirror()
  const cortex = {
    ...prometheus,
    owner: 'o',
    repo: 'cortex',
    name: 'cortex',
    binaries: ['cortex'],
    file: 'cortex-{os}-{arch}',
  }
  const path = join(at.root, 'mirror/o/cortex/releases/download/v3.5.3/cortex-linux-amd64')
  mkdirSync(dirname(path), { recursive: true })
  const put = (content: Buffer): string => {
    const sum = createHash('sha256').update(content).digest('hex')
    writeFileSync(path, content)
    writeFileSync(`${path}-sha-256`, `${sum}\n`)
    return sum
  }
  const sum = put(Buffer.from('\x7fELF and so on'))
  const found = await pin(at, cortex)
  expect([found.sha256, (await found.fetched()).names]).toEqual([sum, []])
  rmSync(lockFile(at.inventory))
  put(Buffer.from('<html>not found</html>'))
  await expect(pin(at, cortex)).rejects.toThrow('is no program for Linux')
})
