import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { yamlFile } from '../../../lib/program/yaml-file.ts'
import { bytesOf, Sealed, Secret } from '../../../lib/secret.ts'

const SPECIALS = [
  'yes',
  'on',
  '~',
  '0o17',
  '017',
  '1:30',
  '2026-01-01',
  '1e3',
  '.inf',
  '<<',
  '=',
  '- a',
  '#',
  "it's",
  '"',
  '$a',
  '`b`',
  'a: b',
  'a\nb',
  'é',
  '\u2028',
  '',
]
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(...SPECIALS),
  fc.string({ unit: 'binary-ascii' }),
)
const data = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, text, fc.integer(), fc.boolean(), tie('list'), tie('mapping')),
  list: fc.array(tie('value'), { maxLength: 4 }),
  mapping: fc.dictionary(text, tie('value'), { maxKeys: 4, noNullPrototype: true }),
})).value

describe('data as a YAML file', () => {
  test.each(['1.1', '1.2'] as const)('is read back unchanged by a YAML %s reader, whatever it holds', (version) => {
    fc.assert(
      fc.property(data, (value) => {
        expect(parse(String(yamlFile({ value })), { version })).toEqual({ value })
      }),
      { numRuns: 500 },
    )
  })

  test.each([' \n', '  \n\n', '\n \n', ' ', ' \n ', ' \t\n'])('a text of spaces and ends of lines is: %j', (value) => {
    expect(parse(String(yamlFile({ value, list: [value] })))).toEqual({ value, list: [value] })
  })

  test('secrets are read back unchanged too, and show nowhere but in the bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), text, (hidden, open) => {
        fc.pre(hidden.isWellFormed())
        const file = yamlFile({ list: [{ open, hidden: new Secret(hidden) }] })
        expect(file).toBeInstanceOf(Sealed)
        expect(parse(bytesOf(file).toString())).toEqual({ list: [{ open, hidden }] })
        expect(String(file)).toContain('hidden: [secret]')
      }),
      { numRuns: 500 },
    )
  })

  test('control characters in a secret are escaped, because Go refuses them raw', () => {
    const bytes = bytesOf(yamlFile({ a: new Secret('\x00\x7f\x85\ufeff') })).toString()
    expect(bytes).toContain('a: "\\u0000\\u007f\\u0085\\ufeff"')
  })

  test('the same thing twice is written twice, without anchors', () => {
    const labels = { a: 'b' }
    expect(yamlFile([labels, labels])).toContain('- a: b\n- a: b\n')
  })
})
