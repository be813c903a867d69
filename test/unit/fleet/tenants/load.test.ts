import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type LoadedTenants, loadTenants } from '../../../../fleet/tenants/load.ts'
import { bodyOf, isTenantName } from '../../../../fleet/tenants/tenant.ts'
import { describeMistake, InputError } from '../../../../lib/errors.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vestal-tenants-'))
})
afterEach(() => rmSync(folder, { recursive: true }))
const put = (name: string, text: string): void => {
  mkdirSync(dirname(join(folder, name)), { recursive: true })
  writeFileSync(join(folder, name), text)
}
const refusal = async (): Promise<string> => {
  const found = await loadTenants(folder, {}).catch((thrown: unknown) => thrown)
  const mistakes =
    found instanceof InputError ? found.mistakes : (found as LoadedTenants).invalid.flatMap((one) => one.mistakes)
  return mistakes.map(describeMistake).join('\n')
}
const SIMPLE = 'route: { receiver: team }\nreceivers: [{ name: team }]\n'

test('tenants are files, their templates a folder, and modules that make many', async () => {
  put('acme.yml', SIMPLE)
  put('acme/mail.tmpl', '{{ define "mail" }}x{{ end }}')
  put('zoo.json', '{ "route": { "receiver": "team" }, "receivers": [{ "name": "team" }] }')
  put('.hidden.yml', 'nonsense')
  put(
    'many.mjs',
    `export default async () => Object.fromEntries(['b', 'c'].map((name) => [name, { route: { receiver: 'team' }, receivers: [{ name: 'team' }] }]))`,
  )
  const { tenants } = await loadTenants(folder)
  expect(tenants.map(({ name }) => name)).toEqual(['acme', 'b', 'c', 'zoo'])
  const [acme] = tenants
  if (!acme) throw new Error('no acme')
  expect(bodyOf(acme).alertmanager_config).toMatch(/route:\n +receiver: team[\s\S]*templates:\n +- mail\.tmpl/)
  expect(bodyOf(acme).template_files).toEqual({ 'mail.tmpl': '{{ define "mail" }}x{{ end }}' })
})

test('a secret goes into what is uploaded and shows nowhere', async () => {
  put(
    'acme.yml',
    'route: { receiver: team }\nreceivers: [{ name: team, slack_configs: [{ api_url: { $env: URL }, channel: x }] }]\n',
  )
  const { tenants } = await loadTenants(folder, { URL: 'https://hooks.slack.com/hidden' })
  expect(JSON.stringify(tenants)).not.toContain('hidden')
  expect(tenants.map((one) => bodyOf(one).alertmanager_config).join()).toContain('https://hooks.slack.com/hidden')
})

test('all mistakes of all tenants are told, with file, line and column', async () => {
  put('acme.yml', 'route: { receiver: nobody }\nreceivers: [{ name: team }]\n')
  put('b c.yml', SIMPLE)
  put('empty.yml', '')
  put('no-yaml.yml', 'route: {')
  put('twice.yml', SIMPLE)
  put('twice.mjs', "export default { twice: { route: { receiver: 'team' }, receivers: [{ name: 'team' }] }, '..': {} }")
  const said = await refusal()
  for (const what of [
    /acme\.yml:1:\d+: acme\.route\.receiver: no receiver is called "nobody"/,
    /"b c" is no name of a tenant/,
    /empty\.yml: empty: expected an Alertmanager configuration/,
    /no-yaml\.yml:1:\d+: /,
    /the tenant twice is there already/,
    /twice\.mjs: \.\.: is no name of a tenant/,
  ])
    expect(said).toMatch(what)
})

test('one with a mistake does not stand in the way of the others', async () => {
  put('acme.yml', 'route: { receiver: nobody }\nreceivers: [{ name: team }]\n')
  put('zoo.yml', SIMPLE)
  const { tenants, invalid } = await loadTenants(folder)
  expect([tenants.map(({ name }) => name), invalid.map(({ name }) => name)]).toEqual([['zoo'], ['acme']])
})

test('a module that throws is told', async () => {
  put('wrong.mjs', "throw new Error('out of tenants')")
  expect(await refusal()).toMatch(/wrong\.mjs: cannot be used: out of tenants/)
})

test('a folder that is not there is told', async () => {
  folder = join(folder, 'nowhere')
  mkdirSync(dirname(folder), { recursive: true })
  expect(await refusal()).toMatch(/there is no such folder of tenants/)
  mkdirSync(folder)
})

test.each([
  ['acme', true],
  ["a!-_.*'()9", true],
  ['', false],
  ['..', false],
  ['a/b', false],
  ['__markers__', false],
  ['user-index.json.gz', false],
  ['x'.repeat(151), false],
])('%j as a tenant’s name: %s', (name, right) => {
  expect(isTenantName(name)).toBe(right)
})
