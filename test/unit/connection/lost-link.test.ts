import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { connect } from '../../../lib/connection/connect.ts'
import type { CountedConnection } from '../../../lib/connection/options.ts'
import type { Link } from '../../../lib/model.ts'
import { hostOf, ways } from './host.ts'
import { type Network, startNetwork } from './network.ts'
import { SAY_SSHD, type Sshd, startSshd } from './sshd.ts'

describe.each(ways)('%s', (_, way) => {
  let sshd: Sshd
  let network: Network
  beforeAll(async () => {
    sshd = await startSshd()
  })
  afterAll(() => sshd.stop())
  beforeEach(async () => {
    network = await startNetwork(sshd.port)
    onTestFinished(() => network.stop())
    writeFileSync(join(sshd.folder, 'known'), `* ${sshd.hostKeys.ed25519}\n`)
  })
  const open = (options: Link['options'] = {}): Promise<CountedConnection> =>
    connect(hostOf(sshd, { ...way, port: network.port, options }), { knownHosts: join(sshd.folder, 'known') })

  const lost = (why: string) => ({
    name: 'LinkError',
    host: 'web-1',
    message: `the link was lost while a script ran: ${why}`,
    hint: 'It is not known how far the script got. Run again: what is already right stays as it is.',
  })

  test('when the sshd of the login is killed, a running script is an error, not a success', async () => {
    await using connection = await open()
    const running = connection.exec(`${SAY_SSHD}; sleep 60`, {
      onStdout: (chunk) => process.kill(Number(chunk), 'SIGKILL'),
    })
    await expect(running).rejects.toMatchObject(lost('the host closed the connection'))
    await expect(connection.exec('true')).rejects.toMatchObject({
      name: 'LinkError',
      message: 'the link is gone: the host closed the connection',
    })
    await expect(connection.request({ port: 9090, path: '/' })).rejects.toMatchObject({ name: 'LinkError' })
  })

  test('a reset is an error that says so, for every script that runs', async () => {
    await using connection = await open()
    const running = [1, 2].map((n) => connection.exec(`sleep 60; echo ${n}`))
    const done = connection.exec('echo', { onStdout: () => network.cut() })
    const ends = await Promise.allSettled([...running, done])
    for (const end of ends.slice(0, 2))
      expect(end).toMatchObject({ status: 'rejected', reason: lost('the connection was reset') })
  })

  test('a reset while nothing runs does not end the process, and the next script is told', async () => {
    await using connection = await open()
    await connection.exec('true')
    network.cut()
    await expect(connection.exec('true')).rejects.toMatchObject({ name: 'LinkError' })
    await expect(connection.exec('true')).rejects.toMatchObject({
      name: 'LinkError',
      message: 'the link is gone: the connection was reset',
    })
  })

  test.each([1_000, 30_000, 150_000, 299_000])(
    'a link that is cut after %i bytes of a long script runs nothing of it',
    async (bytes) => {
      const own = await startSshd()
      const link = await startNetwork(own.port)
      onTestFinished(async () => {
        link.stop()
        await own.stop()
      })
      writeFileSync(own.knownHosts, `* ${own.hostKeys.ed25519}\n`)
      await using connection = await connect(hostOf(own, { ...way, port: link.port }), { knownHosts: own.knownHosts })
      const ran = join(own.folder, 'ran')
      const script = `touch ${ran}\n${'# a long script\n'.repeat(20_000)}`
      link.cutAfter(bytes)
      await expect(connection.exec(script)).rejects.toMatchObject({ name: 'LinkError' })
      await own.quiet()
      expect(existsSync(ran)).toBe(false)
    },
  )

  test('a link that is cut while input streams in is an error', async () => {
    await using connection = await open()
    network.cutAfter(3_000_000)
    const input = Readable.from(
      (function* () {
        for (let i = 0; i < 1_000; i += 1) yield Buffer.alloc(10_000)
      })(),
    )
    const file = join(sshd.folder, 'streamed')
    await expect(connection.exec(`cat >${file}`, { stdin: input })).rejects.toMatchObject({ name: 'LinkError' })
    expect(input.destroyed).toBe(true)
    expect(readFileSync(file).length).toBeLessThan(10_000_000)
  })

  test('a host that no longer answers is given up after the keep-alives that the inventory allows', async () => {
    await using connection = await open({ serveraliveinterval: '1', serveralivecountmax: '2' })
    const running = connection.exec('echo; sleep 60', { onStdout: () => network.freeze() })
    await expect(running).rejects.toMatchObject(lost('the host no longer answers'))
  })

  test('a script that prints nothing for longer than it may ends the link', async () => {
    await using connection = await open()
    const script = 'for i in $(seq 24); do echo; sleep 0.05; done; sleep 60'
    let lines = 0
    const running = connection.exec(script, {
      idle: '1s',
      onStdout(chunk) {
        lines += chunk.length
      },
    })
    await expect(running).rejects.toMatchObject(lost('no output for 1.0 s'))
    expect(lines).toBe(24)
    await expect(connection.exec('true')).rejects.toThrow('the link is gone: no output for 1.0 s')
  })

  test('input that is being taken is a sign of life too', async () => {
    await using connection = await open()
    const input = Readable.from(
      (async function* () {
        for (let i = 0; i < 24; i += 1) {
          yield Buffer.alloc(10)
          await new Promise((resolve) => setTimeout(resolve, 50))
        }
      })(),
    )
    const { stdout } = await connection.exec('wc -c', { stdin: input, idle: '1s' })
    expect(stdout.toString()).toBe('240\n')
  })

  test('a limit for all scripts of a connection', async () => {
    await using connection = await connect(hostOf(sshd, way), { knownHosts: sshd.knownHosts, idle: '200ms' })
    await expect(connection.exec('sleep 60')).rejects.toMatchObject(lost('no output for 200 ms'))
  })

  test('input for a script that cannot start is let go of', async () => {
    const connection = await open()
    await connection[Symbol.asyncDispose]()
    const input = Readable.from(['never read'])
    await expect(connection.exec('cat', { stdin: input })).rejects.toThrow(
      'the link is gone: the connection was closed',
    )
    expect(input.destroyed).toBe(true)
  })

  test('a connection that is closed while a script runs says so', async () => {
    const connection = await open()
    const running = connection.exec('echo; sleep 60', { onStdout: () => void connection[Symbol.asyncDispose]() })
    await expect(running).rejects.toMatchObject(lost('the connection was closed'))
  })

  test('a host that no longer answers does not keep a program from ending', async () => {
    const program = join(import.meta.dirname, 'leaver.ts')
    const leaver = spawn(process.execPath, [program, String(network.port), sshd.key, join(sshd.folder, 'known')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    await once(leaver.stdout, 'data')
    network.freeze()
    leaver.stdin.write('go')
    expect(await once(leaver, 'exit')).toEqual([0, null])
  })
})
