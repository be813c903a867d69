import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addHost } from '../../../../lib/inventory/edit/add-host.ts'
import { removeHost } from '../../../../lib/inventory/edit/remove-host.ts'
import { setVariable } from '../../../../lib/inventory/edit/set-variable.ts'
import { writeEdits } from '../../../../lib/inventory/edit/write.ts'
import { loadInventory } from '../../../../lib/inventory/load.ts'
import type { Inventory } from '../../../../lib/model.ts'
import { inFolder } from '../files.ts'

const GROUPS = ['a', 'b', 'c']
const HOSTS = ['h1', 'h2', 'h3', 'h4', 'n[1:4]']
type Data = null | number | string | { readonly [key: string]: Data }

const scalar = fc.constantFrom<Data>(1, 'text', '10.0.0.1', 'yes', 'a: b', null)
const vars = fc.option(fc.dictionary(fc.constantFrom('v', 'w'), scalar, { maxKeys: 2 }))
const group = fc.record({ hosts: fc.dictionary(fc.constantFrom(...HOSTS), vars, { maxKeys: 4 }) }, { requiredKeys: [] })
/** How a mapping is printed, one choice after the other. */
const styles = fc.array(
  fc.record({ flow: fc.boolean(), above: fc.boolean(), beside: fc.boolean(), wide: fc.boolean() }),
  {
    minLength: 40,
    maxLength: 40,
  },
)
const inventory = fc.record({ groups: fc.dictionary(fc.constantFrom(...GROUPS), group, { minKeys: 1 }), styles })

/** YAML in a mix of styles, with comments wherever a person might put one. */
const print = (
  data: Data,
  choices: readonly { flow: boolean; above: boolean; beside: boolean; wide: boolean }[],
): string => {
  let at = 0
  let comments = 0
  const choose = () => choices[at++ % choices.length] ?? { flow: false, above: false, beside: false, wide: false }
  const flow = (value: Data, wide: boolean): string => {
    if (typeof value !== 'object' || value === null)
      return typeof value === 'string' ? JSON.stringify(value) : (value ?? '').toString()
    const gap = wide ? ' ' : ''
    const inner = Object.entries(value).map(
      ([key, one]) => `${key.includes('[') ? JSON.stringify(key) : key}: ${flow(one, wide)}`,
    )
    return inner.length > 0 ? `{${gap}${inner.join(', ')}${gap}}` : '{}'
  }
  const block = (value: { readonly [key: string]: Data }, indent: string): string =>
    Object.entries(value)
      .map(([key, one]) => {
        const style = choose()
        const above = style.above ? `${indent}# comment ${comments++}\n` : ''
        const beside = style.beside ? ` # comment ${comments++}` : ''
        const isMapping = typeof one === 'object' && one !== null && Object.keys(one).length > 0
        if (isMapping && !style.flow) return `${above}${indent}${key}:${beside}\n${block(one, `${indent}  `)}`
        const text = flow(one, style.wide)
        return `${above}${indent}${key}:${text && ` ${text}`}${beside}\n`
      })
      .join(style(choose()))
  const style = ({ wide }: { wide: boolean }) => (wide ? '\n' : '')
  return block(data as { readonly [key: string]: Data }, '')
}

const commentsIn = (text: string): readonly string[] => text.match(/# comment \d+/g) ?? []
const shapeOf = ({ hosts }: Inventory, without?: string) =>
  Object.fromEntries(
    hosts.filter(({ name }) => name !== without).map(({ name, groups, vars: own }) => [name, { groups, own }]),
  )

const seed = Date.now()
const check = <T>(arbitrary: fc.Arbitrary<T>, holds: (value: T) => Promise<void>) =>
  fc.assert(fc.asyncProperty(arbitrary, holds), { seed, numRuns: 60 })

const withFiles = async (
  one: { groups: Data; styles: Parameters<typeof print>[1] },
  use: (folder: string, text: string) => Promise<void>,
) => {
  const text = print({ all: { children: one.groups, hosts: { always: null } } }, one.styles)
  await inFolder({ 'hosts.yml': text }, (folder) => use(folder, text))
}

test('adding a host changes that host alone, keeps every comment, and done again nothing', async () => {
  await check(fc.tuple(inventory, fc.subarray(GROUPS, { minLength: 1 }), vars), async ([one, groups, own]) => {
    await withFiles(one, async (folder, text) => {
      const known = groups.filter((name) => name in one.groups)
      const host = { name: 'new', groups: known.length > 0 ? known : ['all'], vars: own ?? {} }
      const before = await loadInventory([folder], [])
      const edits = addHost([folder], host)
      const planned = await loadInventory([folder], [], { edits })
      writeEdits(edits)
      const after = await loadInventory([folder], [])
      expect(shapeOf(after)).toEqual(shapeOf(planned))
      expect(shapeOf(after, 'new'), text).toEqual(shapeOf(before))
      const found = after.hosts.find(({ name }) => name === 'new')
      expect(found?.vars, text).toEqual(own ?? {})
      expect(found?.groups, text).toEqual(known.length > 0 ? known : ['ungrouped'])
      expect(commentsIn(readFileSync(join(folder, 'hosts.yml'), 'utf8'))).toEqual(commentsIn(text))
      expect(addHost([folder], host)).toEqual([])
    })
  })
}, 120_000)

test('removing an added host gives the inventory that was, all comments in it', async () => {
  await check(inventory, async (one) => {
    await withFiles(one, async (folder, text) => {
      const before = await loadInventory([folder], [])
      writeEdits(addHost([folder], { name: 'new', groups: Object.keys(one.groups), vars: { v: 'x' } }))
      writeEdits(removeHost([folder], { name: 'new' }))
      expect(shapeOf(await loadInventory([folder], [])), text).toEqual(shapeOf(before))
      expect(commentsIn(readFileSync(join(folder, 'hosts.yml'), 'utf8'))).toEqual(commentsIn(text))
    })
  })
}, 120_000)

test('removing a host leaves every other as it was, or is refused', async () => {
  await check(fc.tuple(inventory, fc.constantFrom('h1', 'h2', 'n2', 'n4')), async ([one, name]) => {
    await withFiles(one, async (folder, text) => {
      const before = await loadInventory([folder], [])
      try {
        writeEdits(removeHost([folder], { name }))
      } catch (error) {
        expect(String(error)).toMatch(/can only be split by hand/)
        return
      }
      expect(shapeOf(await loadInventory([folder], [])), text).toEqual(shapeOf(before, name))
    })
  })
}, 120_000)

test('setting a variable changes it for the hosts named and for no other, and keeps every comment', async () => {
  await check(
    fc.tuple(inventory, fc.constantFrom('h1', 'n2'), fc.constantFrom('3.5.3', '3.10', 'yes', 7)),
    async ([one, name, value]) => {
      await withFiles(one, async (folder, text) => {
        const before = await loadInventory([folder], [])
        const sharing = before.hosts.filter((host) => host.name === name || (name === 'n2' && /^n\d/.test(host.name)))
        if (!sharing.some((host) => 'v' in host.vars)) return
        const hosts = sharing.map((host) => host.name)
        const { edits, places } = setVariable(before, { hosts, path: ['v'], value })
        writeEdits(edits)
        const after = await loadInventory([folder], [])
        const expected = before.hosts.map((host) => ({ ...host.vars, ...(hosts.includes(host.name) && { v: value }) }))
        expect(
          after.hosts.map((host) => host.vars),
          text,
        ).toEqual(expected)
        expect(places.flatMap((place) => place.hosts).sort()).toEqual([...hosts].sort())
        expect(commentsIn(readFileSync(join(folder, 'hosts.yml'), 'utf8'))).toEqual(commentsIn(text))
        expect(setVariable(after, { hosts, path: ['v'], value }).edits).toEqual([])
      })
    },
  )
}, 120_000)
