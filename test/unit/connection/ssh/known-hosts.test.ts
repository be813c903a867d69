import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  algorithmsFor,
  fingerprint,
  judge,
  knownName,
  linesFor,
  parseKnownHosts,
  type Verdict,
} from '../../../../lib/connection/ssh/known-hosts.ts'
import { makeKey } from '../sshd.ts'

const folder = mkdtempSync(join(tmpdir(), 'vestal-known-hosts-'))
afterAll(() => rmSync(folder, { recursive: true }))

const publicKey = (name: string): string =>
  readFileSync(join(folder, `${name}.pub`), 'utf8')
    .split(' ', 2)
    .join(' ')
const blob = (name: string): Buffer => Buffer.from(publicKey(name).split(' ')[1] ?? '', 'base64')
beforeAll(() => {
  for (const name of ['mine', 'other']) makeKey(join(folder, name))
  makeKey(join(folder, 'rsa'), { type: 'rsa' })
})

/** ssh-keygen replaces the names of a known_hosts file by their hashes. */
const hashed = (text: string): string => {
  const file = join(folder, 'to-hash')
  writeFileSync(file, text)
  execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' })
  return readFileSync(file, 'utf8')
}

const verdictOn = (text: string, { name = 'db.example.org', port = 22, key = 'mine' } = {}): Verdict =>
  judge(parseKnownHosts(text, 'known_hosts'), { name, port, key: blob(key) })

describe('the key that a host shows', () => {
  test.each<[string, () => string, Parameters<typeof verdictOn>[1], Verdict]>([
    ['is known when it stands under the name', () => `db.example.org ${publicKey('mine')}`, {}, { is: 'known' }],
    [
      'is known whatever the case of the name',
      () => `db.example.org ${publicKey('mine')}`,
      { name: 'DB.Example.Org' },
      { is: 'known' },
    ],
    [
      'is known when its address stands in a list',
      () => `db,10.0.0.5 ${publicKey('mine')} a comment`,
      { name: '10.0.0.5' },
      { is: 'known' },
    ],
    ['is known under a hashed name', () => hashed(`db.example.org ${publicKey('mine')}\n`), {}, { is: 'known' }],
    [
      'is known under a hashed name with a port',
      () => hashed(`[db.example.org]:2222 ${publicKey('mine')}\n`),
      { port: 2222 },
      { is: 'known' },
    ],
    [
      'is known under a name with a port',
      () => `[db.example.org]:2222 ${publicKey('mine')}`,
      { port: 2222 },
      { is: 'known' },
    ],
    [
      'is known on another port by the name alone, as for ssh',
      () => `db.example.org ${publicKey('mine')}`,
      { port: 2222 },
      { is: 'known' },
    ],
    [
      'is unknown on port 22 when only another port is known',
      () => `[db.example.org]:2222 ${publicKey('mine')}`,
      {},
      { is: 'unknown' },
    ],
    [
      'is unknown, not changed, on another port when the name alone has another key',
      () => `db.example.org ${publicKey('other')}`,
      { port: 2222 },
      { is: 'unknown' },
    ],
    ['is known by a wildcard', () => `*.example.org ${publicKey('mine')}`, {}, { is: 'known' }],
    [
      'is known by a wildcard for one character',
      () => `db?.example.org ${publicKey('mine')}`,
      { name: 'db7.example.org' },
      { is: 'known' },
    ],
    [
      'is unknown when a negated pattern shuts the line out',
      () => `*.example.org,!db.example.org ${publicKey('mine')}`,
      {},
      { is: 'unknown' },
    ],
    ['is unknown when nothing is known', () => '# nothing\n\n', {}, { is: 'unknown' }],
    [
      'has changed when another stands there',
      () => `# first\ndb.example.org ${publicKey('other')}`,
      {},
      { is: 'changed', where: 'known_hosts:2' },
    ],
    [
      'has changed when it is of another type than the known one',
      () => `db.example.org ${publicKey('mine')}`,
      { key: 'rsa' },
      { is: 'changed', where: 'known_hosts:1' },
    ],
    [
      'has changed at the line with a key of its type',
      () => `db.example.org ${publicKey('rsa')}\ndb.example.org ${publicKey('other')}`,
      {},
      { is: 'changed', where: 'known_hosts:2' },
    ],
    [
      'is known when one of several lines has it',
      () => `db.example.org ${publicKey('other')}\ndb.example.org ${publicKey('mine')}`,
      {},
      { is: 'known' },
    ],
    [
      'is revoked whatever else is said',
      () => `db.example.org ${publicKey('mine')}\n@revoked * ${publicKey('mine')}`,
      {},
      { is: 'revoked', where: 'known_hosts:2' },
    ],
    [
      'is not revoked by the revocation of another',
      () => `db.example.org ${publicKey('mine')}\n@revoked * ${publicKey('other')}`,
      {},
      { is: 'known' },
    ],
    [
      'needs more than a certificate authority',
      () => `@cert-authority *.example.org ${publicKey('other')}`,
      {},
      { is: 'authority', where: 'known_hosts:1' },
    ],
    [
      'is known beside a certificate authority',
      () => `@cert-authority *.example.org ${publicKey('other')}\ndb.example.org ${publicKey('mine')}`,
      {},
      { is: 'known' },
    ],
    [
      'is not vouched for by a comment or a broken line',
      () => `#db.example.org ${publicKey('mine')}\ndb.example.org\n@unheard db.example.org ${publicKey('mine')}`,
      {},
      { is: 'unknown' },
    ],
  ])('%s', (_behaviour, text, asked, wanted) => {
    expect(verdictOn(text(), asked)).toEqual(wanted)
  })
})

test('the lines found are those that ssh-keygen -F finds', () => {
  const part = fc.constantFrom('a', 'b', 'ab', '*', '?', 'a*', '*b', 'a?b')
  const pattern = fc
    .tuple(fc.constantFrom('', '', '!'), part, fc.constantFrom('', '.c', '.*'))
    .map((parts) => parts.join(''))
  const names = fc.array(pattern, { minLength: 1, maxLength: 3 }).map((patterns) => patterns.join(','))
  const name = fc
    .tuple(fc.constantFrom('a', 'b', 'ab', 'aab', 'AxB'), fc.constantFrom('', '.c'))
    .map((parts) => parts.join(''))
  const file = join(folder, 'found')
  fc.assert(
    fc.property(fc.array(names, { minLength: 1, maxLength: 4 }), name, (lines, asked) => {
      const text = lines.map((line) => `${line} ${publicKey('mine')}\n`).join('')
      writeFileSync(file, text)
      const found = spawnSync('ssh-keygen', ['-F', asked, '-f', file]).stdout.toString()
      const theirs = [...found.matchAll(/found: line (\d+)/g)].map(([, line]) => `f:${line}`)
      expect(linesFor(parseKnownHosts(text, 'f'), knownName(asked, 22)).map(({ where }) => where)).toEqual(theirs)
    }),
    { numRuns: 80 },
  )
})

test('a host is asked first for keys of the types that it is known by', () => {
  const all = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'rsa-sha2-512', 'rsa-sha2-256'] as const
  const known = linesFor(parseKnownHosts(`h ${publicKey('rsa')}\n@revoked h ${publicKey('mine')}`, 'f'), 'h')
  expect(algorithmsFor(known, all)).toEqual(['rsa-sha2-512', 'rsa-sha2-256', 'ssh-ed25519', 'ecdsa-sha2-nistp256'])
  expect(algorithmsFor([], all)).toEqual(all)
})

test('fingerprints are those of ssh-keygen', () => {
  expect(execFileSync('ssh-keygen', ['-l', '-f', join(folder, 'mine.pub')]).toString()).toContain(
    ` ${fingerprint(blob('mine'))} `,
  )
})
