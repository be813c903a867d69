import { describe, expect, test } from 'vitest'
import type { ServiceData } from '../../../lib/kinds/service.ts'
import { fleet, hostsFile, route } from './fleet.ts'

const GROUPS = 'groups:\n  - name: g\n    rules:\n      - alert: A\n        expr: vector(1)\n'
const withFiles = (files: Readonly<Record<string, string>>, rules: object = { folders: ['mixins'] }) =>
  fleet({
    'hosts.yml': hostsFile({ prometheus: { 'prom-1': {} } }, { prometheus: { version: '3.5.3' }, rules }),
    ...files,
  })
const namesOf = async (files: Readonly<Record<string, string>>, rules?: object) => {
  using made = await withFiles(files, rules)
  return made
    .tasks('rules', 'prom-1')
    .filter(({ kind }) => kind.name === 'file')
    .map(({ key }) => key.replace('/etc/prometheus/rules/', ''))
}
const SHIPPED = ['vestal-watchdog.yml', 'vestal-node.yml', 'vestal-prometheus.yml', 'vestal-alertmanager.yml']

test('the watchdog and self-monitoring rules are there by themselves and can be left out', async () => {
  expect(await namesOf({}, {})).toEqual(SHIPPED)
  expect(await namesOf({}, { watchdog: false, self_monitoring: false })).toEqual([])
})

test('the rule of canary alerts is there where an Alertmanager takes them', async () => {
  const alertmanager = (canary: object) => ({ version: '0.33.1', config: route, canary })
  for (const [enabled, expected] of [
    [true, [SHIPPED[0], 'vestal-canary.yml', ...SHIPPED.slice(1)]],
    [false, SHIPPED],
  ] as const) {
    using made = await fleet({
      'hosts.yml': hostsFile(
        { prometheus: { 'prom-1': {} }, alertmanager: { 'am-1': {} } },
        { prometheus: { version: '3.5.3' }, alertmanager: alertmanager({ enabled }) },
      ),
    })
    const { only } = made.task('rules', 'prom-1', 'directory /etc/prometheus/rules').data as { only: readonly string[] }
    expect(only).toEqual(expected)
  }
})

describe('a published mixin', () => {
  test('is taken as it is: rules found below folders, the rest passed over', async () => {
    const names = await namesOf({
      'mixins/node/alerts.yaml': GROUPS,
      'mixins/node/rules.yml': GROUPS,
      'mixins/node/dashboards/node.json': '{}',
      'mixins/node/mixin.libsonnet': 'nothing',
      'mixins/node/tests.yaml': 'rule_files: [alerts.yaml]\ntests: []\n',
      'mixins/README.md': '# mixins',
    })
    expect(names).toEqual([...SHIPPED, 'node-alerts.yml', 'node-rules.yml'])
  })

  test('arrives byte for byte, checked by the promtool of the version that will read it', async () => {
    using made = await withFiles({ 'mixins/a.yml': `# comment é\n${GROUPS}` })
    const { content, validate } = made.fileData('rules', 'prom-1', '/etc/prometheus/rules/a.yml')
    expect(content).toBe(`# comment é\n${GROUPS}`)
    expect(validate).toBe('/opt/vestal/prometheus/3.5.3/promtool check rules "$1"')
  })
})

describe('what is refused', () => {
  test('YAML without groups, by its path', async () => {
    await expect(namesOf({ 'mixins/a.yml': 'rules: []' })).rejects.toThrow(
      /mixins\/a\.yml: is no rule file: it has no list of `groups:` at its top/,
    )
  })

  test('text that is no YAML, by its path', async () => {
    await expect(namesOf({ 'mixins/a.yml': 'groups: [' })).rejects.toThrow(/mixins\/a\.yml: /)
  })

  test('two files that would be one on the host, by both paths', async () => {
    await expect(namesOf({ 'mixins/a/b.yml': GROUPS, 'mixins/a-b.yaml': GROUPS })).rejects.toThrow(
      /a-b\.yaml|a\/b\.yml.*would be \/etc\/prometheus\/rules\/a-b\.yml on the host, and so would/,
    )
  })

  test('a folder that is not there, by its path and setting', async () => {
    await expect(namesOf({})).rejects.toThrow(/mixins: rules\.folders: cannot be read as a folder/)
  })
})

test('rules of the inventory are the only ones on the host', async () => {
  using made = await withFiles({ 'mixins/a.yml': GROUPS }, { folders: ['mixins'], self_monitoring: false })
  const folder = made.tasks('rules', 'prom-1').find(({ key }) => key === '/etc/prometheus/rules')
  expect(folder?.data).toEqual({ only: ['vestal-watchdog.yml', 'a.yml'] })
})

test('Prometheus reads the rules again when one of them changes', async () => {
  using made = await withFiles({ 'mixins/a.yml': GROUPS })
  const { loads } = made.task('prometheus', 'prom-1', 'service prometheus').data as ServiceData
  expect(loads.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['/etc/prometheus/rules', '/etc/prometheus/rules/a.yml', '/etc/prometheus/prometheus.yml']),
  )
})
