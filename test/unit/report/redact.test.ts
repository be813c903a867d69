import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import type { Inventory } from '../../../lib/model.ts'
import { redactor } from '../../../lib/report/redact.ts'
import { Sealed, Secret } from '../../../lib/secret.ts'

const secret = new Secret('hunter2 "quoted"')

test('a secret says nothing however it is printed', () => {
  const sealed = new Sealed(['url: ', secret, '\n'])
  const said = [
    String(secret),
    `${secret}`,
    JSON.stringify({ secret, sealed }),
    inspect({ secret, sealed }),
    String(sealed),
    inspect([[[[secret]]]], { depth: 9 }),
  ]
  expect(said.join()).not.toContain('hunter2')
  expect(sealed.reveal()).toBe('url: hunter2 "quoted"\n')
})

test('what another program prints is cleared of secrets, in every spelling that programs use', () => {
  const inventory = {
    hosts: [{ vars: { alertmanager: { config: { receivers: [{ key: secret }] } } }, link: {} }],
  } as unknown as Inventory
  const redact = redactor(inventory)
  const spelled = [
    'hunter2 "quoted"',
    JSON.stringify('hunter2 "quoted"'),
    Buffer.from('hunter2 "quoted"').toString('base64'),
    encodeURIComponent('hunter2 "quoted"'),
  ]
  for (const text of spelled) expect(redact(`error near ${text}!`)).toMatch(/^error near "?\[secret\]"?!$/)
})
