import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { commandPage } from '../../../scripts/command-docs.ts'

test('the page of commands says what the command line says', () => {
  expect(readFileSync(new URL('../../../docs/commands.md', import.meta.url), 'utf8')).toBe(commandPage())
}, 180_000)
