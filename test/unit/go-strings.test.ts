import { expect, test } from 'vitest'
import { unescaped } from '../../lib/go-strings.ts'

test.each([
  ['plain é', 'plain é'],
  [String.raw`a\n\t\\\"`, 'a\n\t\\"'],
  [String.raw`\x41\101\u00e9\U0001F600`, 'AAé😀'],
  [String.raw`\xc3\xa9`, 'é'],
  [String.raw`\ufeffx`, '\ufeffx'],
])('%s is read as Go reads it', (inner, text) => expect(unescaped(inner, '"')).toEqual({ text }))

test.each([
  [String.raw`a\'b`, String.raw`\'`],
  [String.raw`\d+`, String.raw`\d`],
  ['a\\', '\\'],
  [String.raw`\U00110000`, String.raw`\U00110000`],
  [String.raw`\400`, String.raw`\400`],
  [String.raw`x\xe9`, String.raw`\xe9`],
])('%s means nothing in Go, at %s', (inner, meaningless) => expect(unescaped(inner, '"')).toEqual({ meaningless }))

test('in single quotes a single one is escaped, and a double one is not', () => {
  expect(unescaped(String.raw`it\'s`, "'")).toEqual({ text: "it's" })
  expect(unescaped(String.raw`\"`, "'")).toEqual({ meaningless: String.raw`\"` })
})
