import { expect, test } from 'vitest'
import { sumsSource, tarballName, tarballSource } from '../../../lib/releases/source.ts'
import { onlySum, sumOf } from '../../../lib/releases/sums.ts'
import { prometheus } from './mirror.ts'

const upstream = 'https://forge.example/{owner}/{repo}/releases/download/v{version}/{name}-{version}.{os}-{arch}.tar.gz'
const shown = (releases: string): string => tarballSource(releases, prometheus, '/etc/inventory').shown

test.each([
  [
    'a URL template',
    upstream,
    'https://forge.example/prometheus/prometheus/releases/download/v3.5.3/prometheus-3.5.3.linux-amd64.tar.gz',
  ],
  [
    'a folder that holds upstream’s layout',
    'file:/srv/releases/',
    'file:/srv/releases/prometheus/prometheus/releases/download/v3.5.3/prometheus-3.5.3.linux-amd64.tar.gz',
  ],
  [
    'a folder as a URL',
    'file:///srv/releases',
    'file:/srv/releases/prometheus/prometheus/releases/download/v3.5.3/prometheus-3.5.3.linux-amd64.tar.gz',
  ],
  [
    'a folder beside the inventory',
    'file:../releases',
    'file:/etc/releases/prometheus/prometheus/releases/download/v3.5.3/prometheus-3.5.3.linux-amd64.tar.gz',
  ],
  ['a folder with a layout of its own', 'file:/srv/{name}_{version}.tgz', 'file:/srv/prometheus_3.5.3.tgz'],
])('releases come from %s', (_, releases, address) => {
  expect(shown(releases)).toBe(address)
})

test('credentials in an address are sent as a header and never shown', () => {
  const source = tarballSource('https://me:p%40ss@forge.example/{name}.tgz', prometheus, '/')
  expect(source).toEqual({
    via: 'http',
    url: 'https://forge.example/prometheus.tgz',
    shown: 'https://forge.example/prometheus.tgz',
    authorization: `Basic ${Buffer.from('me:p@ss').toString('base64')}`,
  })
})

test.each([
  [
    'ftp://x/{name}',
    'vestal.releases "ftp://x/{name}": is neither an http(s) address nor a file: folder\n  For example “file:/srv/releases”.',
  ],
  [
    'https://a:secret@x/{nmae}',
    'vestal.releases "https://x/{nmae}": has no field {nmae}\n  The fields are {owner} {repo} {name} {version} {os} {arch}.',
  ],
])('%s is refused', (releases, message) => {
  expect(() => shown(releases)).toThrow(message)
})

test('the list of checksums stands beside the tarball', () => {
  const source = tarballSource('https://x/v{version}/{name}%20{version}.tgz', prometheus, '/')
  expect(sumsSource(source).shown).toBe('https://x/v3.5.3/sha256sums.txt')
  expect(tarballName(source)).toBe('prometheus 3.5.3.tgz')
})

test('a checksum is found whatever way the list is written', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((digit) => digit.repeat(64))
  const list = `# sums\r\n${a}  x.tar.gz.asc\r\n${b?.toUpperCase()} *x.tar.gz\r\n${c}  ./dist/y.tar.gz\n`
  expect([sumOf(list, 'x.tar.gz'), sumOf(list, 'y.tar.gz'), sumOf(list, 'z.tar.gz')]).toEqual([b, c, undefined])
})

test('a token in the query of an address is sent, and never shown', () => {
  const source = tarballSource('https://forge.example/{name}-{version}.tgz?private_token=hunter2', prometheus, '/x')
  expect(source).toMatchObject({ url: expect.stringContaining('?private_token=hunter2') })
  expect([source.shown, sumsSource(source).shown].join()).not.toContain('hunter2')
  expect(source.shown).toMatch(/\.tgz$/)
  expect(() => shown('ftp://forge.example/?private_token=hunter2')).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
  )
})

test('a release that is no tarball is a file of its own name, with its checksum beside it', () => {
  const cortex = {
    ...prometheus,
    owner: 'cortexproject',
    repo: 'cortex',
    name: 'cortex',
    version: '1.21.1',
    file: 'cortex-{os}-{arch}',
  }
  const at = (releases: string) => tarballSource(releases, cortex, '/etc/inventory')
  expect(at(upstream).shown).toBe(
    'https://forge.example/cortexproject/cortex/releases/download/v1.21.1/cortex-linux-amd64',
  )
  expect(at('file:/srv').shown).toBe('file:/srv/cortexproject/cortex/releases/download/v1.21.1/cortex-linux-amd64')
  expect(sumsSource(at('file:/srv'), cortex).shown).toMatch(/\/v1\.21\.1\/cortex-linux-amd64-sha-256$/)
  const withQuery = sumsSource(at('https://x/{version}/f.tgz?token=a'), cortex)
  expect(withQuery).toMatchObject({ url: 'https://x/1.21.1/cortex-linux-amd64-sha-256?token=a' })
})

test.each([
  [`${'ab'.repeat(32)}\n`, 'ab'.repeat(32)],
  ['AB'.repeat(32), 'ab'.repeat(32)],
  [`${'ab'.repeat(32)}  name\n`, undefined],
  ['<html>', undefined],
])('the checksum that %j holds alone is %s', (text, sum) => {
  expect(onlySum(text)).toBe(sum)
})
