import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { InputError } from '../../../lib/errors.ts'
import { inventoryJson } from '../../../lib/inventory/json.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { shippedRoles } from '../../../roles/registry.ts'
import { type Answer, askAnsible, installAnsible } from './ansible.ts'
import { SHAPES, type Shape } from './public-shapes.ts'

const root = mkdtempSync(join(tmpdir(), 'vestal-shapes-'))
afterAll(() => rmSync(root, { recursive: true }))

const write = (folder: string, files: Shape['files']): void => {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
    if (text.startsWith('#!')) chmodSync(join(folder, name), 0o755)
  }
}

const names = Object.keys(SHAPES)
const pathOf = (name: string): string => {
  const folder = join(root, String(names.indexOf(name)))
  const { path, files } = SHAPES[name] as Shape
  return join(folder, path ?? (Object.keys(files).find((file) => /^hosts/.test(file)) as string))
}

let answers: ReadonlyMap<string, Answer>
beforeAll(() => {
  installAnsible()
  for (const name of names) write(join(root, String(names.indexOf(name))), SHAPES[name]?.files ?? {})
  const found = askAnsible(names.map((name) => ({ paths: [pathOf(name)] })))
  answers = new Map(names.map((name, at) => [name, found[at] as Answer]))
}, 600_000)

describe('sixty shapes of public inventories are what ansible-inventory --list prints', () => {
  test('there are so many', () => expect(names.length).toBeGreaterThanOrEqual(60))
  test.each(names)('%s', async (name) => {
    const { _meta, ...groups } = answers.get(name)?.list ?? {}
    const mine = inventoryJson(await loadInventory([pathOf(name)], [], { env: process.env }))
    expect(mine).toEqual(plain({ ...groups, _meta: { hostvars: _meta?.hostvars } }))
    expect(Object.keys(groups).length).toBeGreaterThan(0)
  })
})

/** Ansible prints text that is not to be a template in a mapping of its own. */
const plain = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const { __ansible_unsafe: text, ...rest } = value as { readonly __ansible_unsafe?: unknown }
  return text === undefined ? Object.fromEntries(Object.entries(rest).map(([key, one]) => [key, plain(one)])) : text
}

const REFUSED: Readonly<Record<string, Shape & { readonly says: string }>> = {
  'a section of an unknown kind': {
    files: { 'hosts.ini': '[web:hostss]\nw1\n' },
    says: 'hosts.ini:1:1: a section of the unknown kind `hostss`',
  },
  'a section with a space': {
    files: { 'hosts.ini': '[web]\nw1\n  [my group]\n' },
    says: 'hosts.ini:3:3: `[my group]` is no section',
  },
  'a quote that is not closed': {
    files: { 'hosts.ini': '[web]\nw1 a="b\n' },
    says: 'hosts.ini:2:1: a quote that is not closed',
  },
  'a word that sets nothing': {
    files: { 'hosts.ini': '[web]\nw1 a=1 b\n' },
    says: 'hosts.ini:2:8: expected NAME=VALUE, got `b`',
  },
  'a section of variables with a word': {
    files: { 'hosts.ini': '[web]\nw1\n[web:vars]\nb\n' },
    says: 'hosts.ini:4:1: expected NAME = VALUE',
  },
  'children that no section names': {
    files: { 'hosts.ini': '[site:children]\nweb\n' },
    says: 'hosts.ini:2:1: [site:children] names `web`, and there is no section [web]',
  },
  'variables of a group that no section names': {
    files: { 'hosts.ini': 'w1\n[web:vars]\na=1\n' },
    says: 'hosts.ini:2:1: [web:vars] is for a group that no section names',
  },
  'a range without an end': {
    files: { 'hosts.ini': '[web]\nw[1:]\n' },
    says: 'hosts.ini:2:1: a range needs its last value',
  },
  'a name that ends in a colon': {
    files: { 'hosts.ini': '[web]\nw1:\n' },
    says: 'hosts.ini:2:1: a host’s name does not end in `:`',
  },
  'a group inside itself': {
    files: { 'hosts.ini': '[a:children]\nb\n[b:children]\na\n' },
    says: 'hosts.ini:4:1: a group inside itself: b > a > b',
  },
  TOML: { files: { 'hosts.toml': '[web.hosts]\nw1 = {}\n' }, says: 'hosts.toml: TOML inventories are not supported' },
  'TOML in a folder': {
    files: { 'inv/hosts.toml': '[web.hosts]\n', 'inv/a.yml': 'web: { hosts: w1 }\n' },
    path: 'inv',
    says: 'inv/hosts.toml: TOML inventories are not supported',
  },
  'a plugin': {
    files: { 'hosts.yml': 'plugin: amazon.aws.aws_ec2\nregions: [us-east-1]\n' },
    says: 'hosts.yml:1:1: the inventory plugin amazon.aws.aws_ec2 is not run here',
  },
  'a script that fails': {
    files: { hosts: '#!/bin/sh\necho no credentials >&2\nexit 3\n' },
    says: 'hosts: the inventory script failed at --list: exit code 3 (no credentials)',
  },
  'a script that answers no JSON': {
    files: { hosts: '#!/bin/sh\necho hello\n' },
    says: 'hosts: the inventory script does not answer --list with JSON',
  },
  'a script whose hosts are no list': {
    files: { hosts: `#!/bin/sh\necho '{"web": {"hosts": {"w1": {}}}, "_meta": {"hostvars": {}}}'\n` },
    says: 'hosts --list:1:19: web.hosts: expected a list of names',
  },
  'a setting of a role in INI': {
    files: { 'hosts.ini': `[node_exporter]\nw1\n[node_exporter:vars]\nnode_exporter={'version': 3}\n` },
    says: 'hosts.ini:4:1: node_exporter.version: expected a version such as 3.5.3',
  },
}

describe('what is refused is told with its place', () => {
  test.each(Object.entries(REFUSED))('%s', async (name, { says, files, path }) => {
    const folder = join(root, `refused-${Object.keys(REFUSED).indexOf(name)}`)
    write(folder, files)
    const at = join(folder, path ?? (Object.keys(files)[0] as string))
    expect(existsSync(at)).toBe(true)
    const error = await loadInventory([at], shippedRoles).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(InputError)
    expect(String(error).replaceAll(`${folder}/`, '')).toContain(says)
  })
})

test('the JSON of ansible-inventory --list is read as it is', async () => {
  const folder = join(root, 'list')
  write(folder, {
    'hosts.json': JSON.stringify({
      _meta: { hostvars: { w1: { a: 1 } } },
      all: { children: ['ungrouped', 'web'] },
      web: { hosts: ['w1'], vars: { b: 2 } },
    }),
  })
  const { hosts } = await loadInventory([join(folder, 'hosts.json')], [])
  expect(hosts.map(({ name, groups, vars }) => ({ name, groups, vars }))).toEqual([
    { name: 'w1', groups: ['web'], vars: { b: 2, a: 1 } },
  ])
})
