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

const redactorOf = (...secrets: readonly string[]) =>
  redactor({ hosts: [{ vars: { v: secrets.map((one) => new Secret(one)) }, link: {} }] } as unknown as Inventory)

test.each([
  ['alone in base64', (one: string) => Buffer.from(one).toString('base64')],
  ['in base64 for URLs', (one: string) => Buffer.from(one).toString('base64url')],
  ['in the header of basic auth', (one: string) => `Basic ${Buffer.from(`prometheus:${one}`).toString('base64')}`],
  ['of another user', (one: string) => `Basic ${Buffer.from(`me:${one}`).toString('base64')}`],
  ['of a third user', (one: string) => `Basic ${Buffer.from(`ann:${one}`).toString('base64')}`],
  ['in SMTP’s AUTH PLAIN', (one: string) => Buffer.from(`\0user\0${one}`).toString('base64')],
  ['in a URL', (one: string) => `https://u:${encodeURIComponent(one)}@host/`],
  ['in a form', (one: string) => new URLSearchParams({ q: one }).toString()],
  ['in a query as Go writes it', () => 'q=p%26ss+%3Cw%3Eo%27rd+%224%22+%28you%29%2A%21+%C3%BC%2B%2F%3D%3F'],
  ['in JSON as Go writes it', () => '"p\\u0026ss \\u003cw\\u003eo\'rd \\"4\\" (you)*! ü+/=?"'],
  ['in YAML', (one: string) => `'${one.replaceAll("'", "''")}'`],
  ['in a shell', (one: string) => `'${one.replaceAll("'", `'\\''`)}'`],
])('a secret %s is cleared', (_, write) => {
  const secret = `p&ss <w>o'rd "4" (you)*! ü+/=?`
  const redacted = redactorOf(secret)(write(secret))
  expect(redacted).toContain('[secret]')
  // What is left of it in base64 is the few bits that it shared with a neighbour.
  const left = redacted.replace(/^(Basic )?[\w+/]{0,18}\[secret\][\w+/=]{0,3}$/, '')
  for (const part of ['p&ss', 'p%26ss', 'rd', 'you']) expect(left).not.toContain(part)
})

test('of a secret of several lines each line is one, save those that only say what it is', () => {
  const key = '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG\n9w0BAQEFAASCBKcwggSj\n-----END PRIVATE KEY-----\n'
  const redact = redactorOf(key)
  expect(redact('near MIIEvQIBADANBgkqhkiG')).toBe('near [secret]')
  expect(redact('  9w0BAQEFAASCBKcwggSj\\n')).toBe('  [secret]\\n')
  expect(redact('-----BEGIN PRIVATE KEY-----')).toBe('-----BEGIN PRIVATE KEY-----')
})
