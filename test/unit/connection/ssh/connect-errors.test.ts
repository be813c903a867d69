import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { connect } from '../../../../lib/connection/connect.ts'
import type { Link } from '../../../../lib/model.ts'
import { hostOf, hostWith, ways } from '../host.ts'
import { me, type Sshd, startSshd } from '../sshd.ts'

describe.each(ways)('%s', (_, way) => {
  let sshd: Sshd
  beforeAll(async () => {
    sshd = await startSshd()
  })
  afterAll(() => sshd.stop())

  const refusedBy = (link: Partial<Link>) =>
    connect(hostWith({ ...way, user: 'ops', ...link }), { knownHosts: sshd.knownHosts })
  const serve = async (answer: (socket: Socket) => void): Promise<number> => {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => {}))
      answer(socket)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    return (server.address() as AddressInfo).port
  }

  test('a name that no resolver knows', async () => {
    await expect(refusedBy({ address: 'nowhere.invalid' })).rejects.toMatchObject({
      name: 'LinkError',
      host: 'web-1',
      message: 'no address is known for nowhere.invalid',
      hint: 'Check the name, or set `ansible_host` to an address.',
    })
  })

  test('a port where nothing listens', async () => {
    await expect(refusedBy({ port: 1 })).rejects.toMatchObject({
      name: 'LinkError',
      message: 'nothing listens on 127.0.0.1:1',
      hint: 'Is sshd running, and is `ansible_port` right?',
    })
  })

  test('a network that is not there', async () => {
    await expect(refusedBy({ address: '::ffff:0:0' })).rejects.toMatchObject({ name: 'LinkError', host: 'web-1' })
  })

  test('something that takes the connection and says nothing', async () => {
    const port = await serve(() => {})
    await expect(refusedBy({ port, connectTimeout: '200ms' })).rejects.toMatchObject({
      name: 'LinkError',
      message: `127.0.0.1:${port} did not finish the SSH handshake within 200 ms`,
    })
  })

  test('something that hangs up at once', async () => {
    const port = await serve((socket) => socket.destroy())
    await expect(refusedBy({ port })).rejects.toMatchObject({
      name: 'LinkError',
      message: `ops@127.0.0.1:${port} hung up during the SSH handshake`,
      hint: 'Is it an SSH server? One with many unfinished logins hangs up too (`MaxStartups`), as fail2ban does.',
    })
  })

  test('something that is no SSH server', async () => {
    const port = await serve((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await expect(refusedBy({ port })).rejects.toMatchObject({
      name: 'LinkError',
      message: expect.stringContaining(`ops@127.0.0.1:${port}`),
    })
  })

  test('a server with no algorithm in common', async () => {
    const old = await startSshd({ config: ['KexAlgorithms diffie-hellman-group1-sha1'] })
    onTestFinished(() => old.stop())
    await expect(connect(hostOf(old, way), { knownHosts: old.knownHosts })).rejects.toMatchObject({
      name: 'LinkError',
      message: expect.stringMatching(
        new RegExp(`^no SSH handshake with ${me}@127.0.0.1:${old.port}: .*no matching key exchange`),
      ),
    })
  })

  test('an account whose login shell runs nothing', async () => {
    const closed = await startSshd({ config: ['ForceCommand echo This account is closed.; exit 1'] })
    onTestFinished(() => closed.stop())
    await using connection = await connect(hostOf(closed, way), { knownHosts: closed.knownHosts })
    await expect(connection.exec('true')).rejects.toMatchObject({
      name: 'HostError',
      host: 'web-1',
      message: 'the login shell ran nothing: This account is closed.',
    })
  })

  test('what login scripts print does not end up in the output', async () => {
    const chatty = await startSshd({
      config: ['ForceCommand echo Welcome; echo vestal-ready or not; sh -c "$SSH_ORIGINAL_COMMAND"'],
    })
    onTestFinished(() => chatty.stop())
    await using connection = await connect(hostOf(chatty, way), { knownHosts: chatty.knownHosts })
    expect((await connection.exec('echo mine')).stdout.toString()).toBe('mine\n')
  })

  test('an abort while connecting ends it with its reason', async () => {
    const stop = new AbortController()
    const port = await serve(() => stop.abort(new Error('enough')))
    await expect(connect(hostWith({ ...way, port }), { signal: stop.signal })).rejects.toThrow('enough')
    await expect(connect(hostWith(), { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before')
  })
})
