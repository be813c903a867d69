import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { kinds } from '../../../lib/kinds/catalog.ts'

test('the page on kinds has a section for each, under its summary', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/kinds.md'), 'utf8')
  const sections = page
    .split(/^## /m)
    .slice(1)
    .map((section) => section.split('\n\n').slice(0, 2))
  expect(sections).toEqual(kinds.map(({ name, summary }) => [name, summary]))
})
