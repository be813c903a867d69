import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { sealKnownSecrets } from '../../lib/known-secrets.ts'
import { yamlFile } from '../../lib/program/yaml-file.ts'

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
