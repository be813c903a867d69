import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { readKnownHosts, remember } from '../../../../lib/connection/ssh/known-hosts-file.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vestal-remember-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
})
const shown = (name: string, text = 'key') => ({ name, port: 22, key: keyOf(text) })
const keyOf = (text: string): Buffer =>
  Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from('ssh-ed25519'), Buffer.from(text)])
const lineOf = (name: string, text = 'key'): string => `${name} ssh-ed25519 ${keyOf(text).toString('base64')}\n`

test('the first key makes the file, for its owner alone', async () => {
  const file = join(folder, 'new', 'known_hosts')
  expect(await remember([file, join(folder, 'other')], shown('web'))).toEqual({ is: 'known' })
  expect(readFileSync(file, 'utf8')).toBe(lineOf('web'))
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

test('a key is added behind what is there, even where the last line was left open, and its mode is kept', async () => {
  const file = join(folder, 'known_hosts')
  writeFileSync(file, '# mine')
  chmodSync(file, 0o644)
  await remember([file], shown('web'))
  expect(readFileSync(file, 'utf8')).toBe(`# mine\n${lineOf('web')}`)
  expect(statSync(file).mode & 0o777).toBe(0o644)
})

test('fifty hosts at once leave fifty whole lines, and no lock', async () => {
  const file = join(folder, 'known_hosts')
  const names = Array.from({ length: 50 }, (_, i) => `web-${i}`)
  await Promise.all([...names, ...names].map((name) => remember([file], shown(name))))
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  expect(lines.map((line) => line.split(' ')[0]).sort()).toEqual([...names].sort())
  expect(readKnownHosts([file])).toHaveLength(50)
  expect(() => statSync(`${file}.vestal-lock`)).toThrow('ENOENT')
})

test('when another run has written down a different key meanwhile, that one stands', async () => {
  const file = join(folder, 'known_hosts')
  const verdicts = await Promise.all(['one', 'two'].map((key) => remember([file], shown('web', key))))
  expect(verdicts.map(({ is }) => is).sort()).toEqual(['changed', 'known'])
  expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(1)
})

test('the lock of a run that died does not last', async () => {
  const file = join(folder, 'known_hosts')
  writeFileSync(`${file}.vestal-lock`, '')
  utimesSync(`${file}.vestal-lock`, 0, 0)
  expect(await remember([file], shown('web'))).toEqual({ is: 'known' })
})

test('a file that is not there holds no keys', () => {
  expect(readKnownHosts([join(folder, 'nowhere')])).toEqual([])
})
