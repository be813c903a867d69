import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expandHostNames } from '../../../lib/inventory/ansible/host-ranges.ts'
import { inventoryJson } from '../../../lib/inventory/json.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { askAnsible, installAnsible } from './ansible.ts'

const temp = mkdtempSync(join(tmpdir(), 'vestal-random-'))
let count = 0
beforeAll(installAnsible, 600_000)
afterAll(() => rmSync(temp, { recursive: true }))

const GROUPS = ['all', 'a', 'b', 'c', 'd', 'e', 'f-f', 'zz', 'ungrouped']
const HOSTS = ['h1', 'h2', 'h3', 'h4', 'h5']
const value = fc.oneof(
  fc.integer(),
  fc.constant(null),
  fc.dictionary(fc.constantFrom('p', 'q'), fc.boolean(), { maxKeys: 2 }),
)
const variables = fc.dictionary(fc.constantFrom('u', 'v', 'w', 'x'), value, { maxKeys: 4 })
const hosts = fc.dictionary(fc.constantFrom(...HOSTS), fc.option(variables), { maxKeys: 3 })
/** A group's children come after it in GROUPS, so that none is inside itself; parents may be many. */
const group = (name: string) =>
  fc.record(
    {
      hosts,
      children: fc
        .subarray(GROUPS.slice(GROUPS.indexOf(name) + 1, -1))
        .map((names) => Object.fromEntries(names.map((child) => [child, null]))),
      vars: fc
        .tuple(variables, fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }))
        .map(([vars, priority]) => (priority === undefined ? vars : { ...vars, ansible_group_priority: priority })),
    },
    { requiredKeys: [] },
  )
const groups = fc
  .tuple(
    fc.shuffledSubarray(GROUPS, { minLength: 2 }),
    fc.record(Object.fromEntries(GROUPS.map((name) => [name, group(name)]))),
  )
  .map(([names, all]) => Object.fromEntries(names.map((name) => [name, all[name] ?? null])))
const folder = fc.record({
  'hosts.yml': groups.map((own) => ({ ...own, zz: { ...own.zz, hosts: { ...own.zz?.hosts, h1: null } } })),
  group_vars: fc.dictionary(fc.constantFrom(...GROUPS), variables, { maxKeys: 4 }),
  host_vars: fc.dictionary(fc.constantFrom(...HOSTS), variables, { maxKeys: 2 }),
})
type Folder = typeof folder extends fc.Arbitrary<infer T> ? T : never

const write = (content: Folder): string => {
  const path = join(temp, String(count++))
  for (const name of ['group_vars', 'host_vars'] as const) {
    mkdirSync(join(path, name), { recursive: true })
    for (const [owner, vars] of Object.entries(content[name]))
      writeFileSync(join(path, name, `${owner}.yml`), JSON.stringify(vars))
  }
  writeFileSync(join(path, 'hosts.yml'), JSON.stringify(content['hosts.yml'], null, 1))
  return path
}

/** Another each time; a failure names it. */
const seed = Date.now()

test('Vestal and Ansible see the same, whatever the groups and variables', async () => {
  const cases = fc.sample(fc.array(folder, { minLength: 1, maxLength: 2 }), { numRuns: 100, seed })
  const paths = cases.map((folders) => folders.map(write))
  const answers = askAnsible(paths.map((one) => ({ paths: one })))
  for (const [index, one] of paths.entries()) {
    const { _meta, ...others } = answers[index]?.list ?? {}
    const mine = inventoryJson(await loadInventory(one, []))
    expect(mine, `seed ${seed}: ${JSON.stringify(cases[index])}`).toEqual({
      ...others,
      _meta: { hostvars: _meta?.hostvars },
    })
  }
}, 120_000)

const ends = fc.oneof(
  fc.tuple(fc.nat(30), fc.nat(8)).map(([low, more]) => [String(low), String(low + more)]),
  fc
    .tuple(fc.nat(30), fc.nat(8))
    .map(([low, more]) => [String(low).padStart(3, '0'), String(low + more).padStart(3, '0')]),
  fc.tuple(fc.nat(51), fc.nat(51)).map((pair) => [...pair].sort((a, b) => a - b).map((at) => LETTERS.charAt(at))),
  fc.nat(30).map((high) => ['', String(high)]),
)
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
const range = fc
  .tuple(ends, fc.option(fc.integer({ min: 1, max: 9 })))
  .map(([[low, high], step]) => `[${low}:${high}${step ? `:${step}` : ''}]`)
const name = fc
  .tuple(range, fc.constantFrom('', '.net', '-x'), fc.option(range, { nil: '' }), fc.constantFrom('', ':2222'))
  .map((parts) => `n${parts.join('')}`)
  // Ansible doesn't see the port behind a range that leaves its first value out.
  .map((key) => (key.includes('[:') ? key.replace(/:2222$/, '') : key))

test('a host range stands for the hosts that Ansible makes of it', () => {
  const keys = [...new Set(['n[:29:1][:30]', ...fc.sample(name, { numRuns: 60, seed })])]
  const path = join(temp, 'ranges.yml')
  const groups = keys.map((key, index) => [`group${index}`, { hosts: { [key]: null } }])
  writeFileSync(path, JSON.stringify(Object.fromEntries(groups)))
  const [answer] = askAnsible([{ paths: [path] }])
  for (const [index, key] of keys.entries())
    expect(expandHostNames(key).names, `seed ${seed}: ${key}`).toEqual(answer?.list[`group${index}`]?.hosts)
}, 120_000)
