/** What hosts ask of their own web server by themselves, against a real one. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { CommandData } from '../../../../lib/kinds/command.ts'
import { taskId } from '../../../../lib/model.ts'
import { scopeOf } from '../../../../lib/playbook.ts'
import { forgetting } from '../../../../roles/cortex-alertmanager/forget.ts'
import { askOnHost } from '../../../../roles/cortex-alertmanager/host-http.ts'
import { fleet } from '../fleet.ts'

let ring: string[] = []
let forgotten: string[] = []
let broken = false
const server = createServer(async (request, response) => {
  if (request.method === 'POST') {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    const id = new URLSearchParams(Buffer.concat(pieces).toString()).get('forget') ?? ''
    forgotten.push(id)
    ring = ring.filter((one) => one !== id)
    return void response.writeHead(302, { location: '#' }).end()
  }
  if (broken) return void response.writeHead(500).end('not now')
  response.end(
    JSON.stringify({
      shards: ring.map((id) => ({ id, state: 'ACTIVE', tokens: [1, 2] })),
      accept: request.headers.accept,
    }),
  )
})
beforeEach(async () => {
  ;[ring, forgotten, broken] = [['am-1', 'am-2', 'am-3'], [], false]
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(async () => {
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
})
const port = (): number => (server.address() as AddressInfo).port
const sh = async (script: string): Promise<{ code: number | null; stdout: string }> => {
  const child = spawn('sh', ['-eu', '-c', script], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  const [code] = await once(child, 'close')
  return { code, stdout }
}

test('an answer comes whole, with its status first', async () => {
  const { code, stdout } = await sh(askOnHost({ port: port(), path: '/ring', accept: 'application/json' }))
  expect([code, stdout.split('\r\n')[0]]).toEqual([0, 'HTTP/1.1 200 OK'])
  expect(JSON.parse(stdout.split('\r\n\r\n')[1] ?? '').accept).toBe('application/json')
})

test('a port that nobody has is a failure', async () => {
  const closed = port()
  server.close()
  expect((await sh(askOnHost({ port: closed, path: '/' }))).code).not.toBe(0)
  server.listen(0)
})

const task = async () => {
  using made = await fleet({
    'hosts.yml': JSON.stringify({
      cortex_alertmanager: {
        vars: {
          cortex_alertmanager: {
            version: '1.21.1',
            listen: `0.0.0.0:${port()}`,
            storage: { backend: 'filesystem', dir: '/srv/x' },
          },
        },
        hosts: { 'am-1': { ansible_host: '10.0.0.1' }, 'am-2': { ansible_host: '10.0.0.2' } },
      },
    }),
  })
  const tasks = (host: string) => forgetting.tasks(scopeOf(forgetting, made.host(host), made.inventory))
  expect(tasks('am-2')).toEqual([])
  const [one] = tasks('am-1')
  if (!one) throw new Error('nothing is done')
  expect(taskId(one)).toBe('command forget those that left the ring')
  return one.data as CommandData & { guard: { unless: string } }
}

test('who is not in the inventory is taken out of the ring, once', async () => {
  const { run, guard } = await task()
  expect((await sh(guard.unless)).code).not.toBe(0)
  expect((await sh(run)).code).toBe(0)
  expect(forgotten).toEqual(['am-3'])
  expect((await sh(guard.unless)).code).toBe(0)
})

test('a ring that cannot be read is not taken for one where nobody is to be forgotten', async () => {
  const { run, guard } = await task()
  broken = true
  expect((await sh(guard.unless)).code).not.toBe(0)
  expect((await sh(run)).code).not.toBe(0)
  expect(forgotten).toEqual([])
})
