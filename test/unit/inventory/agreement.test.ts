import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { InputError } from '../../../lib/errors.ts'
import { inventoryJson } from '../../../lib/inventory/json.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { selectHosts } from '../../../lib/inventory/select-hosts.ts'
import type { Inventory } from '../../../lib/model.ts'
import { type Answer, ansibleInventory, askAnsible, installAnsible } from './ansible.ts'

const FIXTURES = join(import.meta.dirname, '../../fixtures/inventory')
const EXAMPLES = join(import.meta.dirname, '../../../inventory')

const CASES: Readonly<Record<string, readonly string[]>> = {
  'every layer of precedence': [join(FIXTURES, 'precedence')],
  'the same, given as a file': [join(FIXTURES, 'precedence/hosts.yml')],
  'groups, ranges and ports': [join(FIXTURES, 'groups/hosts.yaml')],
  'YAML 1.1 scalars and merges': [join(FIXTURES, 'scalars')],
  'merges that disagree': [join(FIXTURES, 'merges')],
  'a folder of files': [join(FIXTURES, 'folder')],
  'two inventories': [join(FIXTURES, 'two/first'), join(FIXTURES, 'two/second')],
  'the same two the other way round': [join(FIXTURES, 'two/second/hosts.yml'), join(FIXTURES, 'two/first')],
  "Ansible's own variables": [join(FIXTURES, 'connection')],
  ...Object.fromEntries(folders(EXAMPLES).map((name) => [`the example ${name}`, [example(name)]])),
}

/** Patterns for the `groups` fixture. */
const PATTERNS =
  `all * alpha beta gamma-2 empty:alpha alpha:beta alpha,beta alpha:&beta alpha:!beta alpha:!node* !alpha &beta
  all:!alpha:!ungrouped ungrouped node01 node0[12] node[!1]* node0? node* *.example.net ~node0[13] ~(node|rack).*1$ ~lon alpha[0] alpha[-1]
  alpha[1:3] alpha[1:] alpha[0:0] alpha[2-3] alpha[7:99] all[2] gamma-2[0] node*[1] alpha:&node*:!node02 db.example.net stray,spare,!spare
  2001:db8::8 gamma-2:ungrouped !node* rack[ab]-* rack?-[!3]`.split(/\s+/)

/** Ansible takes every YAML file below a folder for an inventory, those of tenants and the table of shards too: `route` would be a group. */
function example(name: string): string {
  const others = ['tenants', 'shards.yml'].some((one) => existsSync(join(EXAMPLES, name, one)))
  return join(EXAMPLES, name, ...(others ? ['hosts.yml'] : []))
}

function folders(path: string): readonly string[] {
  const entries = readdirSync(path, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}

type Answers = ReadonlyMap<string, Answer>
let answers: Answers
/** With PyYAML 6.0.4. */
let newer: Answers
beforeAll(() => {
  installAnsible()
  answers = askedAbout(PATTERNS)
  newer = askedAbout([], { newerPyYaml: true })
}, 600_000)

const askedAbout = (patterns: readonly string[], options?: Parameters<typeof askAnsible>[1]): Answers => {
  const questions = Object.values(CASES).map((paths) => ({
    paths,
    patterns: paths[0]?.includes('groups/') ? patterns : [],
  }))
  const found = askAnsible(questions, options)
  return new Map(Object.keys(CASES).map((name, index) => [name, found[index] as Answer]))
}

/** What Ansible prints, without what only its own command line reads. */
const theirs = (answer: Answer | undefined) => {
  const { _meta, ...groups } = answer?.list ?? {}
  return { ...groups, _meta: { hostvars: _meta?.hostvars } }
}

describe('what Vestal reads is what ansible-inventory --list prints', () => {
  test.each(Object.entries(CASES))('%s', async (name, paths) => {
    const mine = inventoryJson(await loadInventory(paths, [], { env: {} }))
    expect(mine).toEqual(theirs(answers.get(name)))
    expect(Object.keys(mine._meta.hostvars).length).toBeGreaterThan(0)
  })
  test('the command itself says the same', async () => {
    const path = join(FIXTURES, 'precedence')
    const mine = inventoryJson(await loadInventory([path], []))
    expect(mine).toEqual(theirs({ list: ansibleInventory([path]), hosts: {} }))
  })
})

describe('PyYAML 6.0.4', () => {
  test('reads all the rest as 6.0.3 does', () => {
    const rest = (all: Answers) => [...all].filter(([name]) => name !== 'merges that disagree')
    expect(rest(newer).map(([name, { list }]) => [name, list])).toEqual(
      rest(answers).map(([name, { list }]) => [name, list]),
    )
  })
  test('lets the last of a merged list win, where YAML and Vestal let the first', async () => {
    const both = (hostvars: unknown) =>
      Object.fromEntries(
        Object.entries(hostvars as Record<string, { both: string }>).map(([host, { both }]) => [host, both]),
      )
    const mine = inventoryJson(await loadInventory(CASES['merges that disagree'] ?? [], []))
    expect(both(mine._meta.hostvars)).toEqual({
      'in-a-list': 'first',
      anchored: 'left',
      'over-its-own': 'own',
      'through-another': 'left',
      twice: 'right',
    })
    expect(both(newer.get('merges that disagree')?.list._meta?.hostvars)).toEqual({
      'in-a-list': 'second',
      anchored: 'right',
      'over-its-own': 'own',
      'through-another': 'right',
      twice: 'right',
    })
  })
})

describe('a limit chooses the hosts that ansible --limit chooses', () => {
  test.each(PATTERNS)('%s', async (pattern) => {
    const chosenByAnsible = answers.get('groups, ranges and ports')?.hosts[pattern] ?? []
    const inventory = await loadInventory(CASES['groups, ranges and ports'] ?? [], [])
    expect(chosen(inventory, pattern).sort()).toEqual([...chosenByAnsible].sort())
  })
})

/** Where nothing is left, Ansible goes on with no host at all; Vestal refuses. */
const chosen = (inventory: Inventory, pattern: string): string[] => {
  try {
    return selectHosts(inventory, pattern).map(({ name }) => name)
  } catch (error) {
    if (error instanceof InputError) return []
    throw error
  }
}
