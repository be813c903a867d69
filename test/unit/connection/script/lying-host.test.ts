import { PassThrough } from 'node:stream'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { overTransport } from '../../../../lib/connection/over-transport.ts'
import type { Ended, Transport } from '../../../../lib/connection/transport.ts'
import { hostWith } from '../host.ts'

/** A host that says whatever it likes to whatever it is asked, and ends only when its link is cut. */
const lying = (lie: (said: { stdout: PassThrough; stderr: PassThrough; end(code: number): void }) => void) => {
  const dropped: string[] = []
  const cuts: ((why: string) => void)[] = []
  const transport: Transport = {
    async start() {
      const { promise: ended, resolve } = Promise.withResolvers<Ended>()
      const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
      stdin.resume()
      const gone = (why: string): void => {
        resolve({ lost: why })
        for (const stream of [stdout, stderr]) stream.destroy()
      }
      cuts.push(gone)
      setImmediate(() => lie({ stdout, stderr, end: (code) => setImmediate(() => resolve({ code })) }))
      return { stdin, stdout, stderr, ended, kill: () => {} }
    },
    dial: () => Promise.reject(new Error('not asked here')),
    listen: () => Promise.reject(new Error('not asked here')),
    forwards: () => Promise.reject(new Error('not asked here')),
    gone: () => dropped[0] ?? null,
    drop(why) {
      dropped.push(why)
      for (const cut of cuts) cut(why)
    },
    close: async () => {},
  }
  return { connection: overTransport(hostWith(), transport, {}), dropped }
}
/** Lets what was written arrive. */
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
const READY = 'vestal-ready 4711\n'
const MiB = 1024 * 1024

describe('a host that prints without end', () => {
  const endless = () =>
    lying(({ stdout }) => {
      stdout.write(READY)
      const more = () => {
        if (stdout.destroyed) return
        stdout.write(Buffer.alloc(64 * 1024, 'x'))
        setImmediate(more)
      }
      more()
    })

  test('is a failure of that host, and its link is cut where it does not end the script either', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { connection, dropped } = endless()
    let heard = 0
    const onStdout = (chunk: Buffer): void => {
      heard += chunk.length
    }
    const failed = expect(connection.exec('true', { onStdout })).rejects.toMatchObject({
      name: 'HostError',
      host: 'web-1',
      message: 'a script printed more than 8 MiB',
      hint: 'It is not known how far the script got. Run again: what is already right stays as it is.',
    })
    while (heard <= 8 * MiB) await turn()
    await vi.advanceTimersByTimeAsync(20_000)
    expect(dropped).toEqual(['a script printed more than 8 MiB'])
    await failed
  })

  test('may print as much as it was asked for', async () => {
    const { connection } = lying(({ stdout, end }) => {
      stdout.write(READY)
      for (let i = 0; i < 12; i += 1) stdout.write(Buffer.alloc(MiB, 'x'))
      end(0)
    })
    expect((await connection.exec('true', { most: 12 * MiB })).stdout.length).toBe(12 * MiB)
  })
})

test('what cannot be kept can still be passed on, all of it', async () => {
  const { connection } = lying(({ stdout, end }) => {
    stdout.write(READY)
    for (let i = 0; i < 20; i += 1) stdout.write(Buffer.alloc(MiB, 'x'))
    end(0)
  })
  let heard = 0
  const onStdout = (chunk: Buffer): void => {
    heard += chunk.length
  }
  expect((await connection.exec('true', { keepStdout: false, onStdout })).stdout.length).toBe(0)
  expect(heard).toBe(20 * MiB)
})

test('60 MB of noise from its login scripts are passed over, and a part of them is shown', async () => {
  const line = `Welcome! vestal-ready 1 is what you will hear. ${'Your quota is fine. '.repeat(20)}\n`
  const noise = Buffer.from(line.repeat(100))
  const { connection } = lying(({ stdout, end }) => {
    for (let sent = 0; sent < 60e6; sent += noise.length) stdout.write(noise)
    stdout.write(`${READY}said`)
    end(0)
  })
  expect((await connection.exec('true')).stdout.toString()).toBe('said')
  const { connection: refused } = lying(({ stdout, end }) => {
    for (let sent = 0; sent < 1e6; sent += noise.length) stdout.write(noise)
    stdout.write('This account is not available.')
    end(1)
  })
  const error: Error = await refused.exec('true').catch((one) => one)
  expect(error.message).toMatch(/^the login shell ran nothing: .*This account is not available\.$/)
  expect(error.message.length).toBeLessThan(100_000)
})

test('the ready line is found wherever its bytes are cut, and only at the start of a line', async () => {
  const said = `motd: vestal-ready 12\n\u00ff\r${READY}vestal-ready 99\nthe rest`
  for (const size of [1, 2, 3, 5, 7, 11, 13, 200]) {
    const { connection } = lying(({ stdout, end }) => {
      const bytes = Buffer.from(said, 'latin1')
      for (let at = 0; at < bytes.length; at += size) stdout.write(bytes.subarray(at, at + size))
      end(0)
    })
    expect((await connection.exec('true')).stdout.toString()).toBe('vestal-ready 99\nthe rest')
  }
})

test('of endless error output the last part is shown', async () => {
  const { connection } = lying(({ stdout, stderr, end }) => {
    stdout.write(READY)
    for (let i = 0; i < 40; i += 1) stderr.write(Buffer.alloc(MiB, 'e'))
    stderr.write('no space left')
    end(3)
  })
  const { code, stderr } = await connection.exec('true')
  expect(code).toBe(3)
  expect(stderr.length).toBeLessThan(100_000)
  expect(stderr).toMatch(/no space left$/)
})

describe('a host that goes on and on beside what it is asked for', () => {
  const endless = (to: 'stdout' | 'stderr', ready: string) =>
    lying((said) => {
      said.stdout.write(ready)
      const more = () => {
        if (said[to].destroyed) return
        said[to].write(Buffer.alloc(MiB, 'x'))
        setImmediate(more)
      }
      more()
    })
  test.each([
    ['stdout', '', 'the login shell printed more than 128 MiB and started nothing'],
    ['stderr', READY, 'a script printed more than 128 MiB of errors'],
  ] as const)('on %s fails before its time is up', async (to, ready, message) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { connection, dropped } = endless(to, ready)
    const failed = expect(connection.exec('true')).rejects.toMatchObject({ name: 'HostError', host: 'web-1', message })
    for (let i = 0; i < 600; i += 1) await turn()
    await vi.advanceTimersByTimeAsync(20_000)
    expect(dropped).toEqual([message])
    await failed
  })
})

describe('a host that says that it is ready and then nothing', () => {
  test.each([
    [{ within: '3m' }, 'a script did not end within 3 m 00 s'],
    [{}, 'a script did not end within 60 m 00 s'],
  ] as const)('with %j is a failure of that host', async (options, message) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { connection, dropped } = lying(({ stdout }) => void stdout.write(READY))
    const failed = expect(connection.exec('true', options)).rejects.toMatchObject({ name: 'HostError', message })
    for (let i = 0; i < 10; i += 1) await turn()
    await vi.advanceTimersByTimeAsync(2 * 3_600_000)
    expect(dropped).toEqual([message])
    await failed
  })
})
