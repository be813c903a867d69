import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { addPin, lockFile, readPins } from '../../../lib/releases/lock-file.ts'
import { mirror } from './mirror.ts'

const sha256 = 'a'.repeat(64)

test('pins are written sorted and read back, however many are added at once', async () => {
  using at = mirror()
  await Promise.all(['c', 'a', 'b'].map((name) => addPin(at.inventory, name, { url: `https://x/${name}`, sha256 })))
  expect(readFileSync(lockFile(at.inventory), 'utf8')).toBe(`{
  "version": 1,
  "releases": {
    "a": {
      "url": "https://x/a",
      "sha256": "${sha256}"
    },
    "b": {
      "url": "https://x/b",
      "sha256": "${sha256}"
    },
    "c": {
      "url": "https://x/c",
      "sha256": "${sha256}"
    }
  }
}
`)
  expect(await readPins(at.inventory)).toHaveProperty('b', { url: 'https://x/b', sha256 })
  expect(readdirSync(at.inventory)).toEqual(['.vestal.lock.json'])
})

test('a folder without a lock file has no pins', async () => {
  using at = mirror()
  expect(await readPins(at.inventory)).toEqual({})
})

test.each([
  ['{', 'is not a lock file: Expected property name'],
  ['{"version": 2, "releases": {}}', 'is not a lock file: ✖ Invalid input: expected 1'],
  ['{"version": 1, "releases": {"a": {"url": "x", "sha256": "short"}}}', '→ at releases.a.sha256'],
])('a lock file that holds %s is an error that names it', async (text, message) => {
  using at = mirror()
  writeFileSync(lockFile(at.inventory), text)
  await expect(readPins(at.inventory)).rejects.toThrow(message)
  await expect(readPins(at.inventory)).rejects.toThrow(lockFile(at.inventory))
})
