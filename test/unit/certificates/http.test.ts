/** What the tool trusts of a web server with TLS: a real server, and the client that gates use. */
import { createServer as plainServer } from 'node:http'
import { createServer as tlsServer } from 'node:https'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Issued } from '../../../lib/certificates/issue.ts'
import { httpClient } from '../../../lib/connection/http.ts'
import type { Trust } from '../../../lib/model.ts'
import { anAuthority, aServer } from './authorities.ts'

const open: Server[] = []
const listening = async (server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  open.push(server)
  return (server.address() as AddressInfo).port
}

/** A web server with TLS that tells plain HTTP what it is, as Go's do; what it was asked with is kept. */
const serving = async ({ certificate, key }: Issued): Promise<{ readonly port: number; readonly asked: string[] }> => {
  const asked: string[] = []
  const inner = await listening(
    tlsServer({ cert: certificate, key: key.reveal() }, ({ url = '', headers }, response) => {
      asked.push(`${url} ${headers.authorization}`)
      response.end('here')
    }),
  )
  const port = await listening(
    createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', (first) => {
        if (first[0] !== HANDSHAKE)
          return void socket.end('HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n')
        const through = connect({ host: '127.0.0.1', port: inner })
        through.on('error', () => socket.destroy())
        through.write(first)
        socket.pipe(through).pipe(socket)
      })
    }),
  )
  return { port, asked }
}
/** The first byte of TLS (RFC 8446, section 5.1). */
const HANDSHAKE = 22

const ask = (port: number, trust?: Trust) =>
  httpClient(
    'am-1',
    (host, at) =>
      new Promise((resolve, reject) => {
        const socket = connect({ host, port: at }, () => resolve(socket))
        socket.on('error', reject)
      }),
  ).ask({ port, path: '/-/healthy', headers: { authorization: 'Basic secret' }, trust })

let ours: Issued
let foreign: Issued
beforeAll(async () => {
  ours = await anAuthority()
  foreign = await anAuthority('foreign')
})
afterAll(() => {
  for (const server of open) server.close()
})
const by = (authority: Issued, name = '127.0.0.1'): Trust => ({ authority: authority.certificate, name })

test('a certificate of the authority is taken, by address and by name, and it is told when it ends', async () => {
  const { port, asked } = await serving(await aServer(ours, ['am-1', '127.0.0.1']))
  for (const name of ['127.0.0.1', 'am-1']) {
    const answer = await ask(port, by(ours, name))
    expect(answer).toMatchObject({ status: 200, body: 'here' })
    expect(Date.parse(answer.certificate?.until ?? '')).toBeGreaterThan(Date.now() + 29 * 86_400_000)
    expect(answer.certificate).not.toHaveProperty('refused')
  }
  expect(asked).toEqual(['/-/healthy Basic secret', '/-/healthy Basic secret'])
})

test.each([
  ['expired', () => aServer(ours, ['127.0.0.1'], -1_000), /refused: it expired on \d{4}-/],
  ['foreign', () => aServer(foreign, ['127.0.0.1']), /refused: it is foreign/],
  ['an authority’s own', () => Promise.resolve(foreign), /refused: it is none of a web server/],
  ['for another host', () => aServer(ours, ['10.9.9.9', 'am-2']), /refused: it is not made out to 127\.0\.0\.1/],
])('one that is %s is refused before anything is sent', async (_, made, why) => {
  const { port, asked } = await serving(await made())
  await expect(ask(port, by(ours))).rejects.toThrow(why)
  expect(asked).toEqual([])
})

test('a look at it tells why it would be refused', async () => {
  const { port } = await serving(await aServer(foreign, ['127.0.0.1']))
  const answer = await ask(port, { ...by(ours), refuses: false })
  expect(answer.certificate?.refused).toMatch(/^it is foreign/)
})

test('without an authority any certificate will do; a server without TLS has none', async () => {
  const { port } = await serving(await aServer(foreign, ['elsewhere']))
  expect(await ask(port)).toMatchObject({ status: 200, certificate: { until: expect.stringMatching(/^20/) } })
  const plain = await listening(plainServer((_, response) => response.end('plain')))
  const answer = await ask(plain, by(ours))
  expect(answer.body).toBe('plain')
  expect(answer.certificate).toBeUndefined()
})
