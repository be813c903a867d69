import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { connect } from '../../../../lib/connection/connect.ts'
import type { ConnectOptions } from '../../../../lib/connection/options.ts'
import type { LinkError } from '../../../../lib/errors.ts'
import type { Host } from '../../../../lib/model.ts'
import { hostOf, ways } from '../host.ts'
import { startNetwork } from '../network.ts'
import { me, type Sshd, startSshd } from '../sshd.ts'

describe.each(ways)('%s', (_, way) => {
  let first: Sshd
  let second: Sshd
  let target: Sshd
  beforeAll(async () => {
    const all = await Promise.all([startSshd(), startSshd(), startSshd()])
    ;[first, second, target] = all
    // Each knows the same key; the flag's known_hosts speaks for all.
    for (const sshd of all) writeFileSync(join(sshd.folder, 'authorized_keys'), readFileSync(`${first.key}.pub`))
  })
  afterAll(() => Promise.all([first, second, target].map((sshd) => sshd.stop())))

  const options = (...known: readonly Sshd[]): ConnectOptions & { knownHosts: string } => {
    const knownHosts = join(first.folder, `known-${known.map(({ port }) => port).join('-')}`)
    writeFileSync(knownHosts, known.map((sshd) => readFileSync(sshd.knownHosts, 'utf8')).join(''))
    return { knownHosts, privateKey: first.key }
  }
  const through = (...jumps: readonly Sshd[]): Host =>
    hostOf(target, {
      ...way,
      keyFile: undefined,
      options: { proxyjump: jumps.map(({ port }) => `${me}@127.0.0.1:${port}`).join(',') },
    })
  const logins = (sshd: Sshd): number =>
    readFileSync(join(sshd.folder, 'log'), 'utf8').split('Accepted publickey').length - 1

  test('a host behind two jump hosts is reached, by exec and by HTTP', async () => {
    await using connection = await connect(through(first, second), options(first, second, target))
    const { stdout } = await connection.exec('echo $SSH_CONNECTION; cat', { stdin: Buffer.alloc(3_000_000, 'x') })
    expect(stdout.length).toBeGreaterThan(3_000_000)
    expect(stdout.toString()).toContain(` 127.0.0.1 ${target.port}\n`)
    await expect(connection.request({ port: 1, path: '/' })).rejects.toThrow('nothing listens on 127.0.0.1:1')
  })

  test('hosts behind the same jump host share one login there, which ends with the last of them', async () => {
    const before = logins(first)
    const shared = options(first, target)
    const connections = await Promise.all(Array.from({ length: 5 }, () => connect(through(first), shared)))
    expect(logins(first) - before).toBe(1)
    for (const connection of connections) await connection[Symbol.asyncDispose]()
    await first.quiet()
    await using again = await connect(through(first), shared)
    expect((await again.exec('echo in')).stdout.toString()).toBe('in\n')
    expect(logins(first) - before).toBe(2)
  })

  test("each jump host's key is checked", async () => {
    await expect(connect(through(first), options(target))).rejects.toMatchObject({
      name: 'LinkError',
      host: 'web-1',
      message: expect.stringContaining(
        `its jump host cannot be used: the host key of 127.0.0.1 port ${first.port} is not known`,
      ),
    })
    await expect(connect(through(first), options(first))).rejects.toThrow(
      `the host key of 127.0.0.1 port ${target.port} is not known`,
    )
  })

  test('a jump host that is lost takes the link along, and says which it was', async () => {
    const network = await startNetwork(first.port)
    onTestFinished(() => network.stop())
    const flags = options(first, target)
    writeFileSync(flags.knownHosts, `* ${first.hostKeys.ed25519}\n* ${target.hostKeys.ed25519}\n`)
    const host = hostOf(target, {
      ...way,
      keyFile: undefined,
      options: { proxyjump: `${me}@127.0.0.1:${network.port}` },
    })
    await using connection = await connect(host, flags)
    const running = connection.exec('echo; sleep 60', { onStdout: () => network.cut() })
    await expect(running).rejects.toThrow(
      'the link was lost while a script ran: its jump host 127.0.0.1 was lost: the connection was reset',
    )
    await using again = await connect(host, flags)
    expect((await again.exec('echo in')).stdout.toString()).toBe('in\n')
  })

  test('a jump host that is down, or that cannot reach the host, is named', async () => {
    const down = hostOf(target, {
      ...way,
      options: { proxyjump: `${me}@127.0.0.1:1` },
    })
    const ends = await Promise.allSettled([connect(down, {}), connect({ ...down, name: 'web-2' }, {})])
    expect(ends.map((end) => end.status === 'rejected' && (end.reason as LinkError).host)).toEqual(['web-1', 'web-2'])
    await expect(connect(down, {})).rejects.toThrow('its jump host cannot be used: nothing listens on 127.0.0.1:1')
    const unreachable = hostOf(target, {
      ...way,
      port: 1,
      options: { proxyjump: `${me}@127.0.0.1:${first.port}` },
    })
    await expect(connect(unreachable, options(first, target))).rejects.toMatchObject({
      name: 'LinkError',
      message: `127.0.0.1:1 cannot be reached through ${me}@127.0.0.1:${first.port}: Connection refused`,
    })
  })

  test('a jump host that forbids forwarding says so', async () => {
    const strict = await startSshd({ config: ['AllowTcpForwarding no'] })
    onTestFinished(() => strict.stop())
    writeFileSync(join(strict.folder, 'authorized_keys'), readFileSync(`${first.key}.pub`))
    await expect(connect(through(strict), options(strict, target))).rejects.toMatchObject({
      hint: 'The jump host forbids forwarding: allow `AllowTcpForwarding` in its sshd_config for this account.',
    })
  })
})
