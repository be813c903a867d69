/** What hosts ask of their own web server by themselves, against a real one. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect, createServer as createFront } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { CommandData } from '../../../../lib/kinds/command.ts'
import { taskId } from '../../../../lib/model.ts'
import { scopeOf } from '../../../../lib/playbook.ts'
import { AUTHORITY } from '../../../../lib/program/certified.ts'
import { forgetting } from '../../../../roles/cortex-alertmanager/forget.ts'
import { askOnHost } from '../../../../roles/cortex-alertmanager/host-http.ts'
import { anAuthority, aServer } from '../../certificates/authorities.ts'
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
  const { code, stdout } = await sh(askOnHost({ port: port() }, { path: '/ring', accept: 'application/json' }))
  expect([code, stdout.split('\r\n')[0]]).toEqual([0, 'HTTP/1.1 200 OK'])
  expect(JSON.parse(stdout.split('\r\n\r\n')[1] ?? '').accept).toBe('application/json')
})

test('a port that nobody has is a failure', async () => {
  const closed = port()
  server.close()
  expect((await sh(askOnHost({ port: closed }, { path: '/' }))).code).not.toBe(0)
  server.listen(0)
})

describe('a port that speaks TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vestal-host-http-'))
  const secure = createSecureServer({}, (_, response) => void response.end('a page\n'))
  /** What a Go server says to whoever comes without (net/http `server.go`), before the stream is TLS' own. */
  const front = createFront((socket) => {
    socket.once('data', (first) => {
      if (first[0] === 0x16) {
        const behind = connect((secure.address() as AddressInfo).port, '127.0.0.1')
        behind.write(first)
        for (const one of [socket, behind]) one.on('error', () => one.destroy())
        socket.pipe(behind).pipe(socket)
      } else socket.end('HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n')
    })
  })
  const place = () => ({ port: (front.address() as AddressInfo).port })
  const asked = (trust?: { readonly authority: string; readonly name: string }) =>
    sh(askOnHost({ ...place(), ...(trust && { trust }) }, { path: '/page' }).replaceAll(AUTHORITY, join(folder, 'ca')))
  beforeAll(async () => {
    const authority = await anAuthority()
    const { certificate, key } = await aServer(authority, ['127.0.0.1', 'am-1'])
    secure.setSecureContext({ cert: certificate, key: key.reveal() })
    writeFileSync(join(folder, 'ca'), authority.certificate)
    for (const one of [secure, front]) {
      one.listen(0, '127.0.0.1')
      await once(one, 'listening')
    }
  })
  afterAll(() => {
    for (const one of [secure, front]) one.close()
    rmSync(folder, { recursive: true })
  })

  test.each(['127.0.0.1', 'am-1'])('is asked with TLS, and its certificate must be of %s', async (name) => {
    const { code, stdout } = await asked({ authority: '', name })
    expect([code, stdout.split('\r\n')[0], stdout.split('\r\n\r\n')[1]]).toEqual([0, 'HTTP/1.1 200 OK', 'a page\n'])
  })

  test.each(['10.0.0.9', 'am-2'])('is told nothing where its certificate is not of %s', async (name) => {
    expect(await asked({ authority: '', name })).toMatchObject({ stdout: '' })
  })

  test('that another authority has vouched for is told nothing', async () => {
    const [ours, other] = [readFileSync(join(folder, 'ca'), 'utf8'), (await anAuthority('another')).certificate]
    writeFileSync(join(folder, 'ca'), other)
    expect(await asked({ authority: '', name: 'am-1' })).toMatchObject({ stdout: '' })
    writeFileSync(join(folder, 'ca'), ours)
  })

  test('is asked all the same where nothing says whom to trust, as any other request is', async () => {
    expect((await asked()).stdout).toContain('a page')
  })
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
