/** Every description of the catalogue makes sense, and its page is what it says; `npm run docs` writes that anew. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parser } from '@prometheus-io/lezer-promql'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { Exporter } from '../../../../lib/program/exporter.ts'
import { catalogue } from '../../../../roles/exporters/catalogue.ts'
import { commandOf } from '../../../../roles/exporters/command.ts'
import { exporterVars } from '../../../../roles/exporters/vars.ts'
import { exportersPage } from '../../../../scripts/exporter-docs.ts'

const root = join(import.meta.dirname, '../../../..')
const FLAG = /^[a-z][A-Za-z0-9._-]*$/

/** Ports that upstream's projects share, and why that is so. */
const SHARED: Readonly<Record<number, string>> = {}

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly description: string }
}
const rulesOf = ({ alerts }: Exporter): readonly Rule[] =>
  alerts ? parse(readFileSync(alerts, 'utf8')).groups.flatMap(({ rules }: { rules: readonly Rule[] }) => rules) : []

describe.each(catalogue.map((one) => [one.name, one] as const))('%s', (name, one) => {
  test('has its file of data, with its source, and rules that nobody else has', () => {
    const text = readFileSync(join(root, 'roles/exporters/catalogue', `${name}.ts`), 'utf8')
    expect(text).toMatch(/ \* Source: https:\/\/github\.com\//)
    expect(text.includes(`${one.release.owner}/${one.release.repo}`)).toBe(true)
    if (one.alerts) expect([existsSync(one.alerts), one.alerts.pathname.endsWith(`/${name}.yml`)]).toEqual([true, true])
  })

  test('its flags are flags, and those by version have a life', () => {
    const { listenFlag = [], webConfigFlag, config, flags = {}, flagVersions = {}, secretFlags = {} } = one
    const all = [
      listenFlag,
      webConfigFlag ?? [],
      config?.flag ?? [],
      config?.check ?? [],
      Object.keys(flags),
      Object.keys(flagVersions),
      Object.keys(secretFlags),
    ].flat()
    expect(all.filter((flag) => !FLAG.test(flag))).toEqual([])
    for (const life of Object.values(flagVersions))
      for (const version of Object.values(life)) expect(version).toMatch(/^\d+\.\d+\.\d+$/)
    for (const variable of Object.keys(one.environment ?? {})) expect(variable).toMatch(/^[A-Z_][A-Z0-9_]*$/)
  })

  test('listens to its port by default, and fits a user’s name', () => {
    const vars = { ...exporterVars.parse({ version: '99.0.0' }), listen: `0.0.0.0:${one.port}` }
    const { words } = commandOf(one, vars, {})
    expect(words[0]).toBe(`/usr/local/bin/${one.release.binaries[0]}`)
    expect(words.filter((word) => word.endsWith(`=0.0.0.0:${one.port}`))).toHaveLength(one.listenEnvironment ? 0 : 1)
    expect(one.release.name).toMatch(/^[a-z][a-z0-9_-]{0,31}$/)
    expect(one.summary).toMatch(/^[A-Z].*[^.]$/)
  })

  test('its alerts parse, wait, and say what is wrong', () => {
    for (const rule of rulesOf(one)) {
      const broken: string[] = []
      parser.parse(rule.expr).iterate({
        enter: ({ type, from, to }) => {
          if (type.isError) broken.push(rule.expr.slice(from, to) || `at ${from}`)
        },
      })
      expect([rule.alert, broken]).toEqual([rule.alert, []])
      expect(rule.labels.severity).toMatch(/^(warning|critical)$/)
      expect(rule.for).toMatch(/^\d+[mh]$/)
      expect([rule.annotations.summary, rule.annotations.description].every(Boolean)).toBe(true)
    }
    if (one.up !== undefined) expect(rulesOf(one).some(({ expr }) => expr.includes(`${one.up}`))).toBe(true)
  })
})

test('names and alerts are there once, ports too where projects do not share them', () => {
  const twice = (values: readonly (string | number)[]) => values.filter((value, at) => values.indexOf(value) !== at)
  expect(twice(catalogue.map(({ name }) => name))).toEqual([])
  expect(twice(catalogue.map(({ release }) => release.name))).toEqual([])
  expect(twice(catalogue.map(({ port }) => port)).filter((port) => SHARED[Number(port)] === undefined)).toEqual([])
  const others = readdirSync(join(root, 'roles/rules/files')).flatMap((name) =>
    parse(readFileSync(join(root, 'roles/rules/files', name), 'utf8')).groups.flatMap(
      ({ rules }: { rules: readonly Rule[] }) => rules.flatMap(({ alert }) => alert ?? []),
    ),
  )
  expect(twice([...others, ...catalogue.flatMap(rulesOf).map(({ alert }) => alert)])).toEqual([])
})

test('every file of data and of rules belongs to the catalogue', () => {
  const names = catalogue.map(({ name }) => name).sort()
  const stems = (folder: string) =>
    readdirSync(join(root, 'roles/exporters', folder))
      .map((file) => file.replace(/\.\w+$/, ''))
      .sort()
  expect(stems('catalogue')).toEqual(names)
  expect(stems('files').filter((name) => !names.includes(name))).toEqual([])
})

test('the page of the catalogue is what the data says', () => {
  expect(exportersPage()).toBe(readFileSync(join(root, 'docs/exporters.md'), 'utf8'))
})
