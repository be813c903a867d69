import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connect } from '../../../../lib/connection/connect.ts'
import { hostOf, hostWith, ways } from '../host.ts'
import { freePort, SAY_SSHD, startSshd } from '../sshd.ts'

describe.each(ways)('a port of the host’s loopback that leads here, %s', (_, way) => {
  const taking = async (config: readonly string[] = []) => {
    const sshd = await startSshd({ config })
    onTestFinished(() => sshd.stop())
    const connection = await connect(hostOf(sshd, way), { knownHosts: sshd.knownHosts })
    onTestFinished(() => connection[Symbol.asyncDispose]())
    return { sshd, connection }
  }
  const greeting = (stream: Duplex): void => void stream.end('hello')

  test('hands over each connection, and is given back in the end', async () => {
    const { connection } = await taking()
    const port = await freePort()
    const listening = await connection.listen(port, greeting)
    expect(await heardAt(port)).toBe('hello')
    expect(await heardAt(port)).toBe('hello')
    await listening[Symbol.asyncDispose]()
    expect(await listening.ended).toBe('the port was given back')
    await expect(heardAt(port)).rejects.toThrow('ECONNREFUSED')
    await using again = await connection.listen(port, greeting)
    expect(await heardAt(port)).toBe('hello')
    expect(again).toBeDefined()
  })

  test('serves HTTP like any other socket', async () => {
    const { connection } = await taking()
    const port = await freePort()
    const server = createServer((_, response) => void response.end('served'))
    await using _listening = await connection.listen(port, (stream) => void server.emit('connection', stream))
    const answers = await Promise.all([1, 2, 3].map(() => fetch(`http://127.0.0.1:${port}/`)))
    expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(['served', 'served', 'served'])
  })

  test('that is taken already says so', async () => {
    const { connection } = await taking()
    const taken = createTcpServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    onTestFinished(() => void taken.close())
    const { port } = taken.address() as AddressInfo
    await expect(connection.listen(port, greeting)).rejects.toMatchObject({
      name: 'HostError',
      message: `127.0.0.1:${port} is taken on the host`,
    })
  })

  test.each(['no', 'local'])('that the host forbids with AllowTcpForwarding %s says so', async (allowed) => {
    const { connection } = await taking([`AllowTcpForwarding ${allowed}`])
    const port = await freePort()
    await expect(connection.listen(port, greeting)).rejects.toMatchObject({
      name: 'HostError',
      message: `the host does not let SSH listen on 127.0.0.1:${port}`,
      hint: expect.stringContaining('AllowTcpForwarding yes'),
    })
    expect((await connection.exec('echo on')).stdout.toString()).toBe('on\n')
  })

  test('tells when the link is lost', async () => {
    const { connection } = await taking()
    const listening = await connection.listen(await freePort(), greeting)
    await connection.exec(`kill -9 $(${SAY_SSHD})`).catch(() => undefined)
    expect(await listening.ended).toMatch(/closed the connection|reset/)
  })
})

test('a port of this machine leads here too, without SSH', async () => {
  await using connection = await connect(hostWith({ via: 'local' }))
  const port = await freePort()
  const listening = await connection.listen(port, (stream) => void stream.end('hello'))
  expect(await heardAt(port)).toBe('hello')
  await expect(connection.listen(port, () => undefined)).rejects.toMatchObject({
    message: `127.0.0.1:${port} is taken on the host`,
  })
  await listening[Symbol.asyncDispose]()
  expect(await listening.ended).toBe('the port was given back')
  await expect(heardAt(port)).rejects.toThrow('ECONNREFUSED')
})

const heardAt = async (port: number): Promise<string> => {
  const socket = connectTcp(port, '127.0.0.1')
  await once(socket, 'connect')
  return text(socket)
}
