import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { commandsFor } from '../../../cli/commands.ts'
import { commandPage } from '../../../scripts/command-docs.ts'

test('the page of commands says what the command line says', async () => {
  expect(readFileSync(new URL('../../../docs/commands.md', import.meta.url), 'utf8')).toBe(await commandPage())
}, 180_000)

test('every command is found by its own name, alone, and has an example', async () => {
  for (const { name, examples, summary } of await commandsFor([])) {
    expect((await commandsFor([name, '--help'])).map((one) => one.name)).toEqual([name])
    expect(summary).toMatch(/^[A-Z].*[^.]$/)
    for (const example of examples) expect(example).toMatch(new RegExp(`^vestal ${name}( |$)`))
    expect(examples.length).toBeGreaterThan(0)
  }
})

test('the version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  const program = new URL('../../../cli/vestal.js', import.meta.url).pathname
  expect(execFileSync(process.execPath, [program, '--version'], { encoding: 'utf8' })).toBe(`${version}\n`)
})
