import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connect } from '../../../lib/connection/connect.ts'
import { hostOf, ways } from './host.ts'
import { startSshd } from './sshd.ts'

describe.each(ways)('a host that opens one session at a time, %s', (_, way) => {
  const strict = async (config: readonly string[] = []) => {
    const sshd = await startSshd({ config: ['MaxSessions 1', ...config] })
    onTestFinished(() => sshd.stop())
    const connection = await connect(hostOf(sshd, way), { knownHosts: sshd.knownHosts })
    onTestFinished(() => connection[Symbol.asyncDispose]())
    return connection
  }

  test('runs one script after the other', async () => {
    const connection = await strict()
    const ends = await Promise.all([1, 2, 3, 4].map((n) => connection.exec(`sleep 0.1; echo ${n}`)))
    expect(ends.map(({ stdout }) => Number(stdout))).toEqual([1, 2, 3, 4])
  })

  test('has its ports asked one after the other, where that takes a session too', async () => {
    const server = createServer((_request, response) => void response.end('answer')).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await new Promise((done) => server.once('listening', done))
    const { port } = server.address() as AddressInfo
    const connection = await strict(['AllowTcpForwarding no'])
    const asked = [1, 2, 3, 4, 5].map(() => connection.request({ port, path: '/' }))
    const [{ stdout }, ...answers] = await Promise.all([connection.exec('sleep 0.2; echo on'), ...asked])
    expect(stdout.toString()).toBe('on\n')
    expect(answers.map(({ body }) => body)).toEqual(Array.from({ length: 5 }, () => 'answer'))
  })

  test('one that opens none says so', async () => {
    const sshd = await startSshd({ config: ['MaxSessions 0'] })
    onTestFinished(() => sshd.stop())
    await using connection = await connect(hostOf(sshd, way), { knownHosts: sshd.knownHosts })
    await expect(connection.exec('true')).rejects.toMatchObject({
      name: 'NoSession',
      host: 'web-1',
      message: expect.stringContaining('the host does not open another session'),
      hint: 'Compare `MaxSessions` in its sshd_config.',
    })
  })
})
