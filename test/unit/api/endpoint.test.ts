import { expect, test } from 'vitest'
import { ask } from '../../../lib/api/endpoint.ts'
import { httpGate } from '../../../lib/gates/http.ts'
import { configInForce, prometheusReady } from '../../../lib/gates/prometheus.ts'
import { Secret } from '../../../lib/secret.ts'
import { Answer, reach, verdict, webServer } from '../gates/web-server.ts'

const runtime = { data: { startTime: '2026-01-01T10:00:00Z', reloadConfigSuccess: true } }
const serving = { '/-/ready': new Answer(200, 'ready'), '/api/v1/status/runtimeinfo': runtime }

test('gates that ask the same thing at the same moment share one request, and a later round asks anew', async () => {
  await using server = await webServer('prom-1', serving)
  const gates = [prometheusReady(server.endpoint), configInForce(server.endpoint)]
  await Promise.all(gates.map(verdict))
  expect(server.asked.map(({ path }) => path)).toEqual(['/-/ready', '/api/v1/status/runtimeinfo'])
  await Promise.all(gates.map(verdict))
  expect(server.asked).toHaveLength(4)
})

test('an answer is never shared between users, or between tenants', async () => {
  await using server = await webServer('prom-1', { '/page': 1 })
  const user = (password: string) => ({ username: 'vestal', password: new Secret(password) })
  const asking = [
    {},
    { user: user('one') },
    { user: user('other') },
    { headers: { 'x-scope-orgid': 'team-a' } },
    { headers: { 'x-scope-orgid': 'team-b' } },
    { headers: { 'x-scope-orgid': 'team-b' } },
  ]
  await Promise.all(asking.map((more) => ask(reach, { ...server.endpoint, ...more }, '/page')))
  expect(
    server.asked.map(({ headers }) => headers['x-scope-orgid'] ?? headers.authorization ?? 'nobody').sort(),
  ).toEqual(
    [
      'nobody',
      `Basic ${Buffer.from('vestal:one').toString('base64')}`,
      `Basic ${Buffer.from('vestal:other').toString('base64')}`,
      'team-a',
      'team-b',
    ].sort(),
  )
})

test('asks below the path of the external URL, as the user of the web config', async () => {
  const user = { username: 'vestal', password: new Secret('a b') }
  await using server = await webServer('prom-1', { '/prometheus/-/ready': 1 }, { prefix: '/prometheus', user })
  expect(await verdict(prometheusReady(server.endpoint))).toEqual({ pass: true })
  expect(server.asked[0]?.headers.authorization).toBe(`Basic ${Buffer.from('vestal:a b').toString('base64')}`)
})

test('an answer that asks for a password says which setting is missing', async () => {
  await using server = await webServer('prom-1', { '/-/ready': new Answer(401, 'Unauthorized\n') })
  await expect(verdict(prometheusReady(server.endpoint))).rejects.toThrow(
    '/-/ready answered 401: Unauthorized; set `web_user` beside `web_config`, so that Vestal can ask it',
  )
})

test('an answer of another form than the API’s is an error that names the field', async () => {
  await using server = await webServer('prom-1', {
    ...serving,
    '/api/v1/status/runtimeinfo': { data: { startTime: 1 } },
  })
  await expect(verdict(configInForce(server.endpoint))).rejects.toThrow(/answered in an unknown form: data.startTime: /)
})

test('a port where nothing listens is an error', async () => {
  const server = await webServer('node-1', {})
  await server[Symbol.asyncDispose]()
  await expect(verdict(httpGate('answers', server.endpoint, { path: '/' }))).rejects.toThrow(/nothing listens|refused/i)
})

test('an HTTP gate passes on 200, fails on anything else, or asks its own question of the answer', async () => {
  await using server = await webServer('node-1', {
    '/': new Answer(200, 'hello'),
    '/broken': new Answer(500, 'oh no\nmore'),
  })
  expect(await verdict(httpGate('answers', server.endpoint, { path: '/' }))).toEqual({ pass: true })
  await expect(verdict(httpGate('answers', server.endpoint, { path: '/broken' }))).rejects.toThrow(
    '/broken answered 500: oh no',
  )
  const expectBye = httpGate('says bye', server.endpoint, {
    path: '/',
    expect: ({ body }) => (body === 'bye' ? null : `it says ${body}`),
  })
  expect(await verdict(expectBye)).toEqual({ pass: false, why: 'it says hello' })
})
