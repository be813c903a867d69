import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
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
  const found = await loadTenants(folder, { env: {} }).catch((thrown: unknown) => thrown)
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
  const { tenants } = await loadTenants(folder, { env: { URL: 'https://hooks.slack.com/hidden' } })
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

describe('teams', () => {
  const load = (tenants = 'tenants') =>
    loadTenants(join(folder, tenants), {
      teams: { folder: join(folder, 'teams'), label: 'team' },
      env: { URL: 'https://hooks.slack.com/hidden' },
    })

  test('are tenants too, with all that a team says of who is told when; secrets stay in the configuration', async () => {
    put(
      'teams/a.yml',
      `payments:
  owns: [namespace="payments"]
  receivers:
    chat: { slack_configs: [{ channel: x, api_url: { $env: URL } }] }
    pager: { webhook_configs: [{ url: http://pager }] }
  times: { office: [{ weekdays: ['monday:friday'] }] }
  mute: [office]
  grouping: { by: [alertname], wait: 1s }
  notify:
    - { severity: critical, to: [pager, chat] }
    - { severity: warning, hours: office, to: chat }
search: { owns: [namespace="search"], receivers: { chat: { webhook_configs: [{ url: http://chat }] } } }
`,
    )
    put('tenants/acme.yml', SIMPLE)
    const { tenants, invalid } = await load()
    expect([tenants.map(({ name }) => name), invalid]).toEqual([['acme', 'payments', 'search'], []])
    const payments = tenants[1]
    if (!payments) throw new Error('no payments')
    expect(JSON.stringify(payments)).not.toContain('hidden')
    const text = bodyOf(payments).alertmanager_config
    expect(text).toContain('https://hooks.slack.com/hidden')
    expect(text).not.toMatch(/_file/)
    expect(parse(text)).toMatchObject({
      route: {
        receiver: 'payments/chat+pager',
        routes: [
          {
            group_by: ['alertname'],
            group_wait: '1s',
            mute_time_intervals: ['payments/office'],
            routes: [
              { receiver: 'payments/chat+pager', matchers: ['severity="critical"'], continue: true },
              { receiver: 'payments/chat', active_time_intervals: ['payments/office'], continue: true },
            ],
          },
        ],
      },
      time_intervals: [{ name: 'payments/office', time_intervals: [{ weekdays: ['monday:friday'] }] }],
    })
    // Every alert of the tenant is the team's.
    expect(parse(text).route.routes[0].matchers).toBeUndefined()
  })

  test('need no folder of tenants; one that no tenant can be called, or is there twice, is told with its place', async () => {
    put('teams/a.yml', 'ops@night: { receivers: { x: { webhook_configs: [{ url: http://x }] } } }\n')
    put('teams/b.yml', 'acme: { receivers: { x: { webhook_configs: [{ url_file: /etc/x }] } } }\n')
    const apart = await load('nowhere')
    expect(apart.tenants).toEqual([])
    const said = apart.invalid.flatMap(({ mistakes }) => mistakes.map(describeMistake)).join('\n')
    expect(said).toMatch(/a\.yml:1:\d+: ops@night: this team can be no tenant by that name/)
    expect(said).toMatch(/b\.yml:1:\d+: acme\.receivers\.0\.webhook_configs\.0\.url_file/)
    put('teams/b.yml', 'acme: { receivers: { x: { webhook_configs: [{ url: http://x }] } } }\n')
    put('tenants/acme.yml', SIMPLE)
    const twice = (await load()).invalid.flatMap(({ mistakes }) => mistakes.map(describeMistake)).join('\n')
    expect(twice).toMatch(/b\.yml:1:\d+: the tenant acme is there already: .*acme\.yml/)
  })

  test('with a mistake in a file of theirs are refused as a whole', async () => {
    put('teams/a.yml', 'payments: { notify: [{ to: nobody }] }\n')
    await expect(load()).rejects.toThrow(/a\.yml:1:\d+: payments: has no receiver/)
  })
})
