import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const program = new URL('../../../cli/vestal.js', import.meta.url).pathname
let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vestal-shard-rules-'))
  mkdirSync(join(folder, 'rules'))
  const hosts = (more: string) => `all:
  vars:
    prometheus: { version: 3.5.3 }
    rules: { folders: [rules], self_monitoring: false, on_every_shard: [Mine] }
  children:
    prometheus: { hosts: { one: { ansible_host: 10.0.0.1 } } }
${more}`
  writeFileSync(join(folder, 'hosts.yml'), hosts(''))
  writeFileSync(
    join(folder, 'tiered.yml'),
    hosts('    thanos_rule: { hosts: { two: { ansible_host: 10.0.0.2, thanos_rule: { version: 0.42.4 } } } }\n'),
  )
  writeFileSync(
    join(folder, 'honoring.yml'),
    hosts('').replace('3.5.3', '3.5.3, scrape_configs: [{ job_name: push, honor_labels: true }]'),
  )
  writeFileSync(
    join(folder, 'rules/web.yml'),
    `groups:
  - name: web
    rules:
      - alert: Down
        expr: up == 0
      - alert: TooFew
        expr: |
          count by (namespace) (up) < 3
      - alert: Mine
        expr: count(up) < 3
`,
  )
})
afterAll(() => rmSync(folder, { recursive: true }))

const vestal = (...words: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'shards', 'rules', ...words], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  })
  return { status, said: stdout + stderr }
}

test('a rule that needs all shards is told with its place, its reason and what would help; nobody evaluates it', () => {
  const { status, said } = vestal('-i', 'hosts.yml')
  expect(said).toBe(`rules/web.yml
  global  TooFew
      rules/web.yml:8:11: \`count\` by (namespace) takes series of several shards together
      Safe where targets are hashed by namespace, a label of theirs.

Targets are hashed by __address__.
4 rules: 3 for every shard, 1 that needs all shards, which nobody evaluates: the inventory has no host in group thanos_rule.
`)
  expect(status).toBe(1)
})

test('with a tier over all shards, or other labels, every rule has its place', () => {
  const tiered = vestal('-i', 'tiered.yml', '--json')
  expect(tiered.status).toBe(0)
  const { labels, globalTier, rules } = JSON.parse(tiered.said)
  expect([labels, globalTier]).toEqual([['__address__'], ['two']])
  expect(rules.map(({ alert, place }: { alert: string; place: string }) => `${alert} ${place}`)).toEqual([
    'Watchdog shard',
    'Down shard',
    'TooFew global',
    'Mine shard',
  ])
  expect(rules[2]).toMatchObject({
    file: 'rules/web.yml',
    line: 6,
    safe: false,
    safeBy: { anyOf: ['namespace'] },
    reasons: [{ where: 'rules/web.yml:8:11' }],
  })
  expect(vestal('-i', 'hosts.yml', '--labels', 'namespace').status).toBe(0)
})

test('the table of shards says what targets are hashed by, and a job with honor_labels is doubted', () => {
  const doubted = vestal('-i', 'honoring.yml')
  expect(doubted.status).toBe(1)
  expect(doubted.said).toContain('job push has honor_labels')
  expect(doubted.said).toContain('4 rules: 2 for every shard, 2 that need all shards')
  writeFileSync(join(folder, 'shards.yml'), 'labels: [namespace]\nbuckets: 4\nshards:\n  "0": "0-3"\n')
  expect(vestal('-i', 'hosts.yml').said).toContain('Targets are hashed by namespace.')
  rmSync(join(folder, 'shards.yml'))
})

test('a folder of rules needs no inventory; without either, or with a rule that cannot be read, nothing is judged', () => {
  expect(vestal('--rules', 'rules', '--labels', 'job').said).toContain('3 rules: 1 for every shard, 2')
  expect(vestal('--rules', 'missing')).toMatchObject({
    status: 2,
    said: expect.stringContaining('--rules: cannot be read'),
  })
  expect(vestal()).toMatchObject({ status: 2, said: expect.stringContaining('--inventory: is missing') })
  writeFileSync(join(folder, 'rules/zz.yml'), 'groups:\n  - name: g\n    rules: [{ alert: A }]\n')
  expect(vestal('--rules', 'rules')).toMatchObject({
    status: 2,
    said: expect.stringContaining('rules/zz.yml:3:13: is no rule'),
  })
  rmSync(join(folder, 'rules/zz.yml'))
})
