/** Inventories made for a test: an example with other settings, or one of a test's own. They go when the tests end. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parse, stringify } from 'yaml'
import { project } from '../vestal.ts'

type Settings = Readonly<Record<string, unknown>>
const folder = mkdtempSync(join(tmpdir(), 'vestal-inventories-'))

/** A copy of `inventory/ha` with these settings laid over the `group_vars` of its groups. Returns its folder. */
export const haWith = (changes: Readonly<Record<string, Settings>>): string => {
  const copy = mkdtempSync(join(folder, 'ha-'))
  cpSync(join(project, 'inventory', 'ha'), copy, { recursive: true })
  for (const [group, settings] of Object.entries(changes)) {
    const path = join(copy, 'group_vars', `${group}.yml`)
    writeFileSync(path, yaml(over(parse(readFileSync(path, 'utf8')), settings)))
  }
  return copy
}

/** An inventory of these files; how to log in to lab hosts is in it already. Returns its folder. */
export const inventoryOf = (files: Readonly<Record<string, Settings | string>>): string => {
  const own = mkdtempSync(join(folder, 'own-'))
  const lab = parse(readFileSync(join(project, 'inventory', 'ha', 'group_vars', 'all.yml'), 'utf8')) as Settings
  const { node_exporter: _, ...link } = lab
  writeFiles(own, { 'group_vars/all/lab.yml': link, ...files })
  return own
}

/** An inventory of one host that has every role of a small fleet, with these variables. Returns its folder. */
export const allOn = (
  name: string,
  {
    address,
    vars,
    files = {},
  }: { readonly address: string; readonly vars: Settings; readonly files?: Parameters<typeof inventoryOf>[0] },
): string =>
  inventoryOf({
    'hosts.yml': {
      all: {
        hosts: { [name]: { ansible_host: address } },
        children: Object.fromEntries(
          ['prometheus', 'alertmanager', 'node_exporter'].map((group) => [group, { hosts: { [name]: null } }]),
        ),
        vars,
      },
    },
    ...files,
  })

/** Writes files below a folder, those given as data as YAML. */
export const writeFiles = (below: string, files: Readonly<Record<string, Settings | string>>): void => {
  for (const [name, content] of Object.entries(files)) {
    const path = join(below, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, typeof content === 'string' ? content : yaml(content))
  }
}

/** Text is quoted: inventories are YAML 1.1, where a bare `yes` is true and `1_000` a number. */
const yaml = (data: unknown): string => stringify(data, { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' })

const over = (base: unknown, more: unknown): unknown => {
  if (!isMapping(base) || !isMapping(more)) return more
  return { ...base, ...Object.fromEntries(Object.entries(more).map(([key, value]) => [key, over(base[key], value)])) }
}

const isMapping = (value: unknown): value is Settings =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
