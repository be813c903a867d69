import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { withItem } from '../../lib/yaml-items.ts'

const ITEM = { receiver: 'x', matchers: ['a="b"'] }
const read = (text: string) => parse(text, { version: '1.1' }) as unknown

describe('an item is added to a list of a text', () => {
  test.each([
    ['a block', 'route:\n  routes:\n    # one\n    - receiver: a   # first\n    - receiver: b\n\nother: 1\n'],
    ['a block at its key', 'route:\n  routes:\n  - receiver: a\n  - receiver: b\nother: 017\n'],
    ['brackets', 'route: {routes: [{receiver: a}, {receiver: b}]}\n'],
    ['a block that ends with a text', 'route:\n  routes:\n  - receiver: a\n  - receiver: |\n      b\nother: 1\n'],
    ['the end of the file', 'route:\n  routes:\n  - receiver: a\n  - receiver: b'],
    ['a comment behind', 'route:\n  routes:\n  - receiver: a\n  - receiver: b # last\n  group_by: [x]\n'],
  ])('%s', (_, text) => {
    const before = read(text) as { route: { routes: unknown[] } }
    for (const at of ['first', 'last'] as const) {
      const after = withItem(text, ['route', 'routes'], { item: ITEM, at })
      const routes = at === 'first' ? [ITEM, ...before.route.routes] : [...before.route.routes, ITEM]
      expect(read(after)).toEqual({ ...before, route: { ...before.route, routes } })
    }
  })

  test.each([
    ['a key that is missing', 'route:\n  receiver: a\nother: 1\n'],
    ['in braces', '{route: {receiver: a}, other: 1}'],
    ['one with nothing behind it', 'route:\n  receiver: a\n  routes:\nother: 1\n'],
    ['one with null behind it', 'route:\n  receiver: a\n  routes: null\nother: 1\n'],
    ['an empty list', 'route:\n  receiver: a\n  routes: []\nother: 1\n'],
    ['an empty mapping', 'route: {}\nother: 1\n'],
    ['the mapping itself', 'other: 1\n'],
    ['behind a comment and a mark', '# hello\n---\nroute:\n    receiver: a\nother: 1\n'],
  ])('%s', (_, text) => {
    const before = read(text) as { route?: object }
    const after = withItem(text, ['route', 'routes'], { item: ITEM, at: 'first' })
    expect(read(after)).toEqual({ ...before, route: { ...before.route, routes: [ITEM] } })
  })

  test('all else is as it was, byte for byte', () => {
    const text = '# a\nglobal: {x: 1:30, y: 010}\r\nroute:\r\n  routes:\r\n  -   receiver: "é"\t# odd\r\n'
    const after = withItem(text, ['route', 'routes'], { item: 'x', at: 'first' })
    expect(after.replace('- "x"\n  ', '')).toBe(text)
  })

  test.each([
    ['x: [', ['x'], /./],
    ['x: &a [1]\nz: *a\n', ['z'], 'z is an alias'],
    ['x: 1\n', ['x'], 'x is no list'],
    ['[1]', ['x'], 'the file is no mapping'],
    ['x: 1\n', ['x', 'y'], 'x is no mapping'],
  ])('%j is refused', (text, path, why) => {
    expect(() => withItem(text, path, { item: 1, at: 'first' })).toThrow(why)
  })
})
