import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { hideKnownSecrets, sealKnownSecrets } from '../../lib/known-secrets.ts'
import { webFields } from '../../lib/program/web.ts'
import { yamlFile } from '../../lib/program/yaml-file.ts'
import { Sealed } from '../../lib/secret.ts'
import { prometheusVars } from '../../roles/prometheus/vars.ts'

const config = {
  global: { smtp_auth_password: 'hunter2a' },
  receivers: [
    { name: 'a', slack_configs: [{ api_url: 'https://hooks.example/hunter2b', channel: '#a' }] },
    {
      name: 'b',
      webhook_configs: [
        { url: 'http://10.0.0.1/', http_config: { basic_auth: { username: 'u', password: 'hunter2c' } } },
      ],
    },
    { name: 'c', opsgenie_configs: [{ api_url: 'https://opsgenie.example/', api_key: 'hunter2d' }] },
  ],
}

test('a password written plainly in an Alertmanager config prints nowhere, and is in the file', () => {
  const sealed = sealKnownSecrets(config)
  expect(inspect(sealed, { depth: 9 }) + JSON.stringify(sealed) + String(yamlFile(sealed))).not.toContain('hunter2')
  const file = yamlFile(sealed)
  expect(typeof file === 'string' ? '' : file.reveal().match(/hunter2./g)).toEqual([
    'hunter2a',
    'hunter2b',
    'hunter2c',
    'hunter2d',
  ])
})

test('what is no secret stays readable', () => {
  expect(JSON.stringify(sealKnownSecrets(config))).toMatch(/http:\/\/10\.0\.0\.1\/.*https:\/\/opsgenie\.example\//)
})

const SAID = 'hunter2-hunter2'
const PEM = `-----BEGIN PRIVATE KEY-----\n${SAID}\n-----END PRIVATE KEY-----\n`
const HASH = '$2y$10$hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunt'

test.each<readonly [string, unknown]>([
  ['TLS settings', { tls_config: { cert: 'public', key: PEM } }],
  [
    'TLS settings of a login',
    { http_config: { oauth2: { client_id: 'me', client_secret: SAID, tls_config: { key: PEM } } } },
  ],
  ['a certificate of a login', { oauth2: { client_certificate_key: SAID } }],
  ['an old bearer token', { bearer_token: SAID }],
  ['a header', { http_headers: { 'X-Key': { secrets: [SAID, SAID], values: ['open'] } } }],
  ['an address', { url: `https://me:${SAID}@metrics.example/write` }],
  ['an address without a password', { url: `https://${SAID}@metrics.example/write` }],
  ['a proxy', { proxy_url: `http://me:${SAID}@proxy.example:3128` }],
  ['a list of addresses', { urls: [`https://me:${SAID}@a.example`, 'https://b.example'] }],
  ['a password hash', { basic_auth_users: { ann: HASH } }],
  ['consul', { consul_sd_configs: [{ server: 'a', token: SAID }] }],
  ['marathon', { marathon_sd_configs: [{ auth_token: SAID }] }],
  ['ovhcloud', { ovhcloud_sd_configs: [{ application_key: 'public', application_secret: SAID, consumer_key: SAID }] }],
  ['openstack', { openstack_sd_configs: [{ application_credential_secret: SAID }] }],
  ['oci', { oci_sd_configs: [{ key_passphrase: SAID }] }],
  ['stackit', { stackit_sd_configs: [{ service_account_key: SAID, private_key: SAID }] }],
  ['azure', { azuread: { certificate_password: SAID } }],
  ['telegram', { global: { telegram_bot_token: SAID } }],
  ['rocketchat', { global: { rocketchat_token: SAID, rocketchat_token_id: SAID } }],
  ['mattermost', { global: { mattermost_webhook_url: `https://m.example/hooks/${SAID}` } }],
  ['discord', { discord_configs: [{ webhook_url: `https://d.example/${SAID}` }] }],
])('what is secret in %s prints nowhere, and is in the file', (_, settings) => {
  const file = yamlFile(sealKnownSecrets(settings))
  expect(String(file)).not.toMatch(/hunter2/)
  expect(typeof file === 'string' ? '' : file.reveal()).toMatch(/hunter2/)
})

test('the same names elsewhere are no secrets', () => {
  const settings = {
    http_headers: { 'X-Tenant': { values: ['a'] } },
    opsgenie_configs: [{ api_url: 'https://opsgenie.example/', details: { key: 'value' } }],
    url: 'https://metrics.example/write?to=a@b.example',
    regex: 'https://.*@.*',
    constructor_configs: [{ toString: 'x' }],
  }
  expect(sealKnownSecrets(settings)).toEqual(settings)
})

test('what is secret in a text that stands on a host is hidden before it is shown in a diff', () => {
  const text = `global:
  smtp_auth_password: ${SAID}
  smtp_from: me@a.example
receivers:
  - name: a
    webhook_configs:
      - url: https://me:${SAID}@hook.example/x
        http_config: {"basic_auth": {"username": "me", "password": "${SAID}\\"x"}, "follow": true}
    slack_configs:
      - api_url: 'https://hooks.example/${SAID}'
        channel: '#a'
tls_config:
  key: |
    -----BEGIN PRIVATE KEY-----
    ${SAID}

    ${SAID}
  cert: public
http_headers:
  X-Key:
    secrets:
    - ${SAID}
    - ${SAID}
    values: [open]
basic_auth_users:
  ann: ${HASH}
`
  const hidden = hideKnownSecrets(text)
  expect(hidden).not.toMatch(/hunter2/)
  for (const line of [
    '  smtp_from: me@a.example',
    '  - name: a',
    "        channel: '#a'",
    '  cert: public',
    '    values: [open]',
  ])
    expect(hidden.split('\n')).toContain(line)
  expect(hidden).toContain('- url: https://[secret]@hook.example/x')
  expect(hidden).toContain('{"basic_auth": {"username": "me", "password": "[secret]"}, "follow": true}')
})

test.each([
  ['settings', `user = me\npassword = ${SAID}\n`, 'user = me\npassword = [secret]\n'],
  ['an environment', `export API_KEY=${SAID}\nB=1\n`, 'export API_KEY=[secret]\nB=1\n'],
  ['JSON', `{"token": "${SAID}", "a": 1}`, '{"token": "[secret]", "a": 1}'],
  ['prose', `see https://me:${SAID}@a.example/x`, 'see https://[secret]@a.example/x'],
])('so it is in a file of %s', (_, text, hidden) => {
  expect(hideKnownSecrets(text)).toBe(hidden)
})

test('what upstream hides is sealed in the settings of web ports and of jobs, and in the files that are made of them', () => {
  const fields = z.object(webFields(9090))
  const web = fields.parse({ web_config: { basic_auth_users: { ann: HASH } }, web_client_tls: { key: PEM } })
  for (const file of [yamlFile(web.web_config), yamlFile(web.web_client_tls)]) {
    expect(file).toBeInstanceOf(Sealed)
    expect(String(file)).not.toMatch(/hunter2/)
  }
  const { targets } = prometheusVars.parse({
    version: '3.5.3',
    targets: { shop: { group: 'shop', port: 80, config: { basic_auth: { username: 'me', password: SAID } } } },
  })
  expect(JSON.stringify(targets)).not.toMatch(/hunter2/)
  expect(fields.parse({}).web_config).toBeUndefined()
})

test('a text of one long line is read once', () => {
  for (const piece of ['a', 'a ', ' ', '- ', ': ', 'a:"', 'https://', '$2y$10$', '"', '\n'])
    expect(hideKnownSecrets(piece.repeat(256 * 1024))).toBeTypeOf('string')
})
