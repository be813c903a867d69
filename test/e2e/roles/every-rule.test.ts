/** Each shipped alert fires over what it is for, and not over what it isn't, as promtool evaluates it. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { unpacked, versionsOf } from './binaries.ts'
import { RULE_CASES, type RuleCase } from './rule-cases.ts'

const rules = join(import.meta.dirname, '../../../roles/rules/files')
const files = readdirSync(rules).map((name) => join(rules, name))
/** Alerts that fire whatever is there, or only while Vestal itself makes them. */
const ALWAYS = ['Watchdog', 'VestalPath']
const BY_HAND = ['VestalCanary']

const shipped = files.flatMap((file) =>
  (parse(readFileSync(file, 'utf8')) as { groups: { rules: { alert?: string }[] }[] }).groups.flatMap((group) =>
    group.rules.flatMap(({ alert }) => alert ?? []),
  ),
)
const testOf = ({ alert, at }: RuleCase, series: RuleCase['fires'], fires: boolean) => ({
  name: `${alert} ${fires ? 'fires' : 'is quiet'}`,
  interval: '1m',
  input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
  promql_expr_test: [
    {
      expr: `count(ALERTS{alertname="${alert}", alertstate="firing"})`,
      eval_time: at,
      exp_samples: fires ? [{ labels: '{}', value: 1 }] : [],
    },
  ],
})

test('every shipped alert has its cases', () => {
  expect(RULE_CASES.map(({ alert }) => alert).sort()).toEqual(
    shipped.filter((alert) => !BY_HAND.includes(alert)).sort(),
  )
})

test.concurrent.each(versionsOf('prometheus'))(
  'promtool %s finds that each alert fires when it should, and only then',
  async (version) => {
    const folder = mkdtempSync(join(tmpdir(), 'vestal-rules-'))
    const file = join(folder, 'every-rule.test.yml')
    const tests = RULE_CASES.flatMap((one) => [
      testOf(one, one.fires, true),
      ...(ALWAYS.includes(one.alert) ? [] : [testOf(one, one.quiet, false)]),
    ])
    writeFileSync(
      file,
      JSON.stringify({
        rule_files: files.filter((path) => !path.endsWith('/canary.yml')),
        evaluation_interval: '1m',
        tests,
      }),
    )
    const promtool = join(unpacked('prometheus', version), 'promtool')
    const { stdout } = await promisify(execFile)(promtool, ['test', 'rules', file])
    rmSync(folder, { recursive: true })
    expect(stdout).toContain('SUCCESS')
  },
)
