import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { checkRules } from '../../../cli/commands/check.ts'
import { checkPage } from '../../../scripts/check-docs.ts'

test('docs/check.md has every finding as the code has it: npm run docs', () => {
  expect(readFileSync('docs/check.md', 'utf8')).toBe(checkPage())
})

test('no two rules have the same id', () => {
  const ids = checkRules.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
})
