import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const page = readFileSync('docs/incidents.md', 'utf8')
const cited = [...page.matchAll(/^- `(test\/[^`]+)`: \*(.+)\*$/gm)].map(([, file = '', title = '']) => ({
  file,
  title,
}))

test('every incident has its section, and every section at least one test, or says that it is as another', () => {
  const sections = page.split('\n## ').slice(1)
  expect(sections).toHaveLength(10)
  for (const section of sections) expect(section).toMatch(/^- `test\/|^As \[above\]/m)
})

test.each(cited)('$file has the test “$title”', ({ file, title }) => {
  expect(existsSync(file)).toBe(true)
  expect(readFileSync(file, 'utf8')).toContain(title)
})
