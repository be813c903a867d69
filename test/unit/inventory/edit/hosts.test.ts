import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { InputError } from '../../../../lib/errors.ts'
import { addHost } from '../../../../lib/inventory/edit/add-host.ts'
import { removeHost, renameHost } from '../../../../lib/inventory/edit/remove-host.ts'
import { writeEdits } from '../../../../lib/inventory/edit/write.ts'
import type { FileEdit } from '../../../../lib/inventory/files.ts'
import { inFolder, yaml } from '../files.ts'

type Edit = (paths: readonly string[], edits?: readonly FileEdit[]) => readonly FileEdit[]

/** hosts.yml after an edit has been written; doing it again must change nothing. */
const edited = (text: string, edit: Edit, more: Readonly<Record<string, string>> = {}): Promise<string> =>
  inFolder({ 'hosts.yml': text, ...more }, async (folder) => {
    writeEdits(edit([folder]))
    expect(edit([folder])).toEqual([])
    return readFileSync(join(folder, 'hosts.yml'), 'utf8')
  })
const refusal = (text: string, edit: Edit, more: Readonly<Record<string, string>> = {}): Promise<string> =>
  inFolder({ 'hosts.yml': text, ...more }, async (folder) => {
    try {
      edit([folder])
      return 'no error'
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      return error.message.replaceAll(`${folder}/`, '')
    }
  })
const add =
  (name: string, groups: readonly string[], vars = {}): Edit =>
  (paths, edits) =>
    addHost(paths, { name, groups, vars }, edits)
const remove =
  (name: string, groups?: readonly string[]): Edit =>
  (paths, edits) =>
    removeHost(paths, { name, groups }, edits)

const HA = yaml`
  # The fleet.
  all:
    children:
      prometheus:
        hosts:
          prom-1: { ansible_host: 10.0.0.1 } # the old machine
          prom-2: { ansible_host: 10.0.0.2 }
      alertmanager:
        hosts:
          # Three of them.
          am-1: { ansible_host: 10.0.0.3 }

          am-2: { ansible_host: 10.0.0.4 } # in the other room
          # am-3 is on its way
      node_exporter:
        children:
          prometheus:
          alertmanager:
          watched:
      watched:
`

describe('a host that is added', () => {
  test('stands behind its siblings, in their style', async () => {
    const text = await edited(HA, add('am-4', ['alertmanager'], { ansible_host: '10.0.0.9' }))
    expect(text).toBe(HA.replace(/(.*other room\n)/, '$1        am-4: { ansible_host: 10.0.0.9 }\n'))
  })
  test('has its variables where it is first named, and only its name elsewhere', async () => {
    const text = await edited(
      HA,
      add('both', ['alertmanager', 'prometheus'], { ansible_host: '10.0.0.9', note: 'yes' }),
    )
    expect(text).toContain('        both: { ansible_host: 10.0.0.9, note: "yes" }\n')
    expect(text).toContain('10.0.0.2 }\n        both:\n')
  })
  test('gets a `hosts:` in a group that has none', async () => {
    const text = await edited(HA, add('n-1', ['watched', 'node_exporter'], { ansible_host: 'n.example' }))
    const [above, below] = ['        watched:\n', '    watched:\n']
    const [first, second] = ['        n-1: { ansible_host: n.example }\n', '        n-1:\n']
    expect(text).toBe(HA.replace(above + below, `${above}      hosts:\n${second}${below}      hosts:\n${first}`))
  })
  test('stands beside a range', async () => {
    const text = await edited('all:\n  hosts:\n    am-[1:3]:\n', add('am-4', ['all']))
    expect(text).toBe('all:\n  hosts:\n    am-[1:3]:\n    am-4:\n')
  })
  test.each([
    ['{all: {hosts: {a: , b: }}}\n', '{all: {hosts: {a: , b: , new: }}}\n', {}],
    ['all: { hosts: { a: { x: 1 } } }\n', 'all: { hosts: { a: { x: 1 }, new: { y: 2 } } }\n', { y: 2 }],
    ['all: { hosts: {} }\n', 'all: { hosts: { new: { y: 2 } } }\n', { y: 2 }],
    ['all:\n  hosts:\n    a: {}\n', 'all:\n  hosts:\n    a: {}\n    new: {}\n', {}],
    [
      'all:\n  hosts:\n    a:\n      x: 1\n      # more\n',
      'all:\n  hosts:\n    a:\n      x: 1\n    new:\n      y: 2\n      # more\n',
      { y: 2 },
    ],
    ['all:\n  hosts: # none yet\n', 'all:\n  hosts: # none yet\n    new: { y: 2 }\n', { y: 2 }],
    ['all:\r\n  hosts:\r\n    a:\r\n', 'all:\r\n  hosts:\r\n    a:\r\n    new:\r\n', {}],
    ['all:\n  hosts:\n    a:', 'all:\n  hosts:\n    a:\n    new:', {}],
    ['all:\n', 'all:\n  hosts:\n    new: { y: 2 }\n', { y: 2 }],
  ])('in %j keeps the style of the file', async (before, after, vars) => {
    const text = await edited(before, add('new', ['all'], vars))
    expect(text).toBe(after)
  })
  test('is refused, with the place, where nothing can be written', async () => {
    expect(await refusal('all: { hosts: one }\n', add('new', ['all']))).toBe(
      'hosts.yml:1:15: a single name stands here in place of a mapping\n  by hand: write `name:` on a line of its own; then write new below hosts: of the group all',
    )
    expect(await refusal(HA, add('new', ['gateway']))).toBe(
      'inventory: there is no group `gateway`\n  write `gateway:` below `children:` of all',
    )
    const alias = 'all: { children: { a: &a { hosts: { x: } }, b: *a } }\n'
    expect(await refusal(alias, add('new', ['b']))).toMatch(/^hosts.yml:1:45: the group `b` comes here by an alias/)
  })
})

describe('a host that is removed', () => {
  test('goes with its line; everything else stays', async () => {
    expect(await edited(HA, remove('am-2'))).toBe(HA.replace(/.*other room\n/, ''))
  })
  test('goes from every group, and so does its file', async () => {
    const text = 'all:\n  children:\n    a: { hosts: { x: , y: } }\n    b: { hosts: { y: , x: } }\n'
    await inFolder({ 'hosts.yml': text, 'host_vars/x.yml': 'v: 1\n' }, async (folder) => {
      const edits = removeHost([folder], { name: 'x' })
      expect(edits.map(({ file, after }) => [file.replace(`${folder}/`, ''), after])).toEqual([
        ['hosts.yml', 'all:\n  children:\n    a: { hosts: { y: } }\n    b: { hosts: { y: } }\n'],
        ['host_vars/x.yml', null],
      ])
    })
  })
  test.each([
    ['am-1', '    am-[02:05]: { v: 1 } # all\n'.replace('02', '2').replace('05', '5')],
    ['am-3', '    am-1: { v: 1 }\n    am-2: { v: 1 }\n    am-4: { v: 1 }\n    am-5: { v: 1 } # all\n'],
    ['am-5', '    am-[1:4]: { v: 1 } # all\n'],
  ])('%s leaves a range of the others', async (name, left) => {
    const text = await edited('all:\n  hosts:\n    am-[1:5]: { v: 1 } # all\n', remove(name))
    expect(text).toBe(`all:\n  hosts:\n${left}`)
  })
  test('from a range over several lines is refused', async () => {
    expect(await refusal('all:\n  hosts:\n    am-[1:4]:\n      v: 1\n', remove('am-2'))).toBe(
      'hosts.yml:3:5: the range can only be split by hand\n  by hand: write am-1, am-3, am-4 in place of this range, each with what stands behind it',
    )
  })
  test('from one group keeps its variables in another', async () => {
    const text =
      'all:\n  children:\n    a:\n      hosts:\n        x: { v: 1, w: "2" }\n    b:\n      hosts:\n        x:\n'
    expect(await edited(text, remove('x', ['a']))).toBe(
      'all:\n  children:\n    a:\n      hosts:\n    b:\n      hosts:\n        x: { v: 1, w: "2" }\n',
    )
  })
})

describe('a host that gets another name', () => {
  test('keeps place, variables and file', async () => {
    await inFolder({ 'hosts.yml': HA, 'host_vars/am-1.yml': '# of one\nv: 1\n' }, async (folder) => {
      writeEdits(renameHost([folder], { name: 'am-1', to: 'am-9' }))
      expect(readFileSync(join(folder, 'hosts.yml'), 'utf8')).toBe(HA.replace('am-1:', 'am-9:'))
      expect(readFileSync(join(folder, 'host_vars/am-9.yml'), 'utf8')).toBe('# of one\nv: 1\n')
    })
  })
})

test('a file that has changed since it was read is not written', async () => {
  await inFolder({ 'hosts.yml': HA }, async (folder) => {
    const edits = removeHost([folder], { name: 'am-1' })
    writeEdits(removeHost([folder], { name: 'am-2' }))
    expect(() => writeEdits(edits)).toThrow('has changed since it was read')
  })
})
