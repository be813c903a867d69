import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { connect } from '../../../../lib/connection/connect.ts'
import type { CountedConnection } from '../../../../lib/connection/options.ts'
import { HostError } from '../../../../lib/errors.ts'
import { word } from '../../../../lib/shell.ts'
import { hostOf, ways } from '../host.ts'
import { me, type Sshd, startSshd } from '../sshd.ts'
import { anyWord } from '../words.ts'

describe.each(ways)('%s', (_, way) => {
  describe.each(way.program ? (['dash'] as const) : (['dash', 'bash'] as const))('over SSH, where sh is %s', (sh) => {
    let sshd: Sshd
    let connection: CountedConnection
    beforeAll(async () => {
      sshd = await startSshd({ sh })
      connection = await connect(hostOf(sshd, way), { knownHosts: sshd.knownHosts })
    })
    afterAll(async () => {
      await connection[Symbol.asyncDispose]()
      await sshd.stop()
    })

    test('a script runs as the account that logged in, in /, and its exit code is a value', async () => {
      const { code, stdout, stderr } = await connection.exec(
        'id -un; pwd; readlink /proc/$$/exe; echo words >&2; exit 3',
      )
      expect({ code, stdout: stdout.toString(), stderr }).toEqual({
        code: 3,
        stdout: `${me}\n/\n/usr/bin/${sh}\n`,
        stderr: 'words\n',
      })
    })

    test('words and standard input of any bytes arrive unchanged', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(anyWord, { maxLength: 6 }),
          fc.uint8Array({ maxLength: 500 }),
          async (texts, stdin) => {
            const script = `printf '%s\\0' start ${texts.map(word).join(' ')}\ncat`
            const { code, stdout } = await connection.exec(script, { stdin })
            expect(code).toBe(0)
            expect(stdout.equals(Buffer.concat([Buffer.from(['start', ...texts, ''].join('\0')), stdin]))).toBe(true)
          },
        ),
        { numRuns: 25 },
      )
    })

    test('neither the script nor its input stands in an argument list', async () => {
      const { stdout } = await connection.exec(
        'marked=tell; cat /proc/*/cmdline 2>/dev/null | tr "\\0" "\\n"; cat >/dev/null',
        {
          stdin: Buffer.from('sealed=letter'),
        },
      )
      expect(stdout.toString()).toContain('vestal-ready')
      expect(stdout.toString()).not.toMatch(/marked=tell|sealed=letter/)
    })

    test('a stream of many megabytes goes over no faster than it is taken, even one that somebody watches', async () => {
      const hash = createHash('sha256')
      let made = 0
      let most = 0
      const source = Readable.from(
        (function* () {
          for (let i = 0; i < 400; i += 1) {
            const chunk = Buffer.alloc(100_000, i % 251)
            made += chunk.length
            hash.update(chunk)
            yield chunk
          }
        })(),
      )
      let watched = 0
      source.on('data', (chunk: Buffer) => {
        watched += chunk.length
      })
      let taken = 0
      const script = 'head -c 1000000 >/dev/null; echo; sleep 0.3; cat | sha256sum; head -c 1000000 /dev/zero'
      const { stdout } = await connection.exec(script, {
        stdin: source,
        onStdout: () => {
          most = taken === 0 ? made : most
          taken += 1
        },
      })
      expect(watched).toBe(40_000_000)
      expect(made).toBe(40_000_000)
      expect(most).toBeLessThan(20_000_000)
      expect(stdout.length).toBeGreaterThan(1_000_000)
    })

    test('output of many megabytes comes back byte for byte, and in pieces as it is printed', async () => {
      const pieces: Buffer[] = []
      const { stdout } = await connection.exec('seq 1 800000', { onStdout: (chunk) => pieces.push(chunk) })
      const wanted = execFileSync('seq', ['1', '800000'], { maxBuffer: 1e8 })
      expect(stdout.equals(wanted)).toBe(true)
      expect(Buffer.concat(pieces).equals(wanted)).toBe(true)
    })

    test('UTF-8 that is split between two pieces of output is not damaged', async () => {
      const { stdout, stderr } = await connection.exec(
        "printf '\\303'; printf '\\303' >&2; sleep 0.05; printf '\\251'; printf '\\251' >&2",
      )
      expect([stdout.toString(), stderr]).toEqual(['é', 'é'])
    })

    test('a script that ends before it has read its input leaves its exit code', async () => {
      expect((await connection.exec('exit 9', { stdin: Buffer.alloc(5_000_000) })).code).toBe(9)
      const endless = Readable.from(
        (function* () {
          for (;;) yield Buffer.alloc(65_536)
        })(),
      )
      expect((await connection.exec('head -c 10 >/dev/null; exit 8', { stdin: endless })).code).toBe(8)
      expect(endless.destroyed).toBe(true)
    })

    test('a script that a signal ends has the code that a shell would give', async () => {
      expect((await connection.exec('kill -9 $$')).code).toBe(137)
      expect((await connection.exec('kill -TERM $$')).code).toBe(143)
    })

    test('several scripts run side by side', async () => {
      const numbers = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => connection.exec(`sleep 0.1; echo ${n}`)))
      expect(numbers.map(({ stdout }) => Number(stdout))).toEqual([1, 2, 3, 4, 5, 6])
    })

    test('when the input cannot be read on the controller, its error comes back and the script is ended', async () => {
      const broken = Readable.from(
        (function* () {
          yield Buffer.from('half')
          throw new Error('disk on fire')
        })(),
      )
      await expect(
        connection.exec(`cat >${sshd.folder}/in && touch ${sshd.folder}/whole-${sh}`, { stdin: broken }),
      ).rejects.toThrow('disk on fire')
      expect((await connection.exec('echo on')).stdout.toString()).toBe('on\n')
      expect(existsSync(join(sshd.folder, `whole-${sh}`))).toBe(false)
    })

    test('an abort ends the script and leaves the link', async () => {
      const stop = new AbortController()
      let pid = ''
      const running = connection.exec('echo $$; sleep 60', {
        signal: stop.signal,
        onStdout(chunk) {
          pid = chunk.toString().trim()
          stop.abort(new Error('enough'))
        },
      })
      await expect(running).rejects.toThrow('enough')
      const gone = `for i in $(seq 100); do kill -0 ${pid} 2>/dev/null || exit 0; sleep 0.05; done; exit 1`
      expect((await connection.exec(gone)).code).toBe(0)
      await expect(connection.exec('true', { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow(
        'before',
      )
    })

    test('an abort while a script is being started runs nothing of it', async () => {
      const stop = new AbortController()
      const running = connection.exec(`touch ${sshd.folder}/early-${sh}`, { signal: stop.signal })
      stop.abort(new Error('early'))
      await expect(running).rejects.toThrow('early')
      expect((await connection.exec(`sleep 0.1; test -e ${sshd.folder}/early-${sh}`)).code).toBe(1)
    })

    test('what it cost is counted', async () => {
      await using other = await connect(hostOf(sshd, way), { knownHosts: sshd.knownHosts })
      await other.exec('cat', { stdin: Buffer.alloc(1_000) })
      await other.exec('cat', { stdin: Readable.from([Buffer.alloc(500), Buffer.alloc(500)]) })
      await other.request({ port: 1, path: '/' }).catch(() => {})
      expect(other.cost).toMatchObject({ execs: 2, requests: 1 })
      expect(other.cost.pushedBytes).toBeGreaterThan(2_000)
      expect(other.cost.pushedBytes).toBeLessThan(2_500)
    })
  })

  describe('HTTP from the host itself', () => {
    let sshd: Sshd
    let connection: CountedConnection
    beforeAll(async () => {
      sshd = await startSshd()
      connection = await connect(hostOf(sshd, way), { knownHosts: sshd.knownHosts })
    })
    afterAll(async () => {
      await connection[Symbol.asyncDispose]()
      await sshd.stop()
    })
    const serve = async (answer: RequestListener): Promise<number> => {
      const server = createServer(answer).listen(0, '127.0.0.1')
      onTestFinished(() => {
        server.closeAllConnections()
        server.close()
      })
      await new Promise((resolve) => server.on('listening', resolve))
      return (server.address() as AddressInfo).port
    }

    test('method, path, headers and body go out, and the answer comes back whole', async () => {
      const port = await serve((request, response) => {
        const chunks: Buffer[] = []
        request.on('data', (chunk) => chunks.push(chunk))
        request.on('end', () => {
          const { method, url, headers } = request
          response.writeHead(201, { 'x-two': ['a', 'b'] })
          response.end(
            JSON.stringify({
              method,
              url,
              type: headers['content-type'],
              host: headers.host,
              body: Buffer.concat(chunks).toString(),
            }),
          )
        })
      })
      const answer = await connection.request({
        port,
        path: '/api/v2/x?a=%C3%BC',
        method: 'POST',
        body: '{"é": 1}',
        headers: { 'content-type': 'application/json' },
      })
      expect(answer.status).toBe(201)
      expect(answer.headers['x-two']).toBe('a, b')
      expect(JSON.parse(answer.body)).toMatchObject({
        method: 'POST',
        url: '/api/v2/x?a=%C3%BC',
        type: 'application/json',
        body: '{"é": 1}',
        host: `127.0.0.1:${port}`,
      })
    })

    test('an answer of some megabytes, and a second one after it', async () => {
      const port = await serve((_request, response) => response.end('é'.repeat(2_000_000)))
      for (const _ of [1, 2]) expect((await connection.request({ port, path: '/' })).body.length).toBe(2_000_000)
    })

    test('a port where nothing listens', async () => {
      await expect(connection.request({ port: 1, path: '/-/ready' })).rejects.toMatchObject({
        name: 'HostError',
        host: 'web-1',
        message: 'nothing listens on 127.0.0.1:1',
      })
    })

    test('a server that says nothing in time', async () => {
      const port = await serve(() => {})
      await expect(connection.request({ port, path: '/-/ready', timeout: '200ms' })).rejects.toThrow(
        new HostError('web-1', `http://127.0.0.1:${port}/-/ready did not answer within 200ms`),
      )
    })

    test('a server that hangs up half way, and one that speaks no HTTP', async () => {
      const half = await serve((_request, response) => {
        response.writeHead(200, { 'content-length': 100 })
        response.write('half')
        setTimeout(() => response.destroy(), 20)
      })
      await expect(connection.request({ port: half, path: '/' })).rejects.toMatchObject({
        name: 'HostError',
        host: 'web-1',
      })
      await expect(connection.request({ port: sshd.port, path: '/' })).rejects.toMatchObject({
        name: 'HostError',
        message: expect.stringContaining('Parse Error'),
      })
    })

    test('an answer without end is cut off', async () => {
      const port = await serve((_request, response) => {
        const more = (): void => {
          while (response.write(Buffer.alloc(1_000_000)));
        }
        response.on('drain', more)
        more()
      })
      await expect(connection.request({ port, path: '/', timeout: '20s' })).rejects.toThrow(
        'the answer is larger than 16 MiB',
      )
      expect((await connection.exec('echo on')).stdout.toString()).toBe('on\n')
    })

    describe('on a host that forbids forwarding', () => {
      const strictly = async (config: readonly string[] = []) => {
        const strict = await startSshd({ config: ['AllowTcpForwarding no', ...config] })
        onTestFinished(() => strict.stop())
        const closed = await connect(hostOf(strict, way), { knownHosts: strict.knownHosts })
        onTestFinished(() => closed[Symbol.asyncDispose]())
        return { strict, closed }
      }

      test('a bash of its own leads to the port', async () => {
        const port = await serve(async (request, response) => {
          let got = 0
          for await (const chunk of request) got += (chunk as Buffer).length
          response.setHeader('x-got', got).end('answer '.repeat(100_000))
        })
        const { strict, closed } = await strictly()
        const body = 'x'.repeat(300_000)
        const answers = await Promise.all(
          Array.from({ length: 12 }, () => closed.request({ port, path: '/', method: 'POST', body })),
        )
        for (const answer of answers) {
          expect(answer).toMatchObject({ status: 200, headers: { 'x-got': '300000' } })
          expect(answer.body === 'answer '.repeat(100_000)).toBe(true)
        }
        expect((await closed.exec('echo on')).stdout.toString()).toBe('on\n')
        await closed[Symbol.asyncDispose]()
        await strict.quiet()
      })

      test('an answer that ends with its connection is whole', async () => {
        const port = await serve((_request, response) => {
          response.shouldKeepAlive = false
          response.useChunkedEncodingByDefault = false
          response.end('to the end')
        })
        const { closed } = await strictly()
        await expect(closed.request({ port, path: '/' })).resolves.toMatchObject({ status: 200, body: 'to the end' })
      })

      test('one that does not come in time ends the bash too', async () => {
        const port = await serve(() => undefined)
        const { strict, closed } = await strictly()
        await expect(closed.request({ port, path: '/', timeout: '1s' })).rejects.toThrow('did not answer within 1s')
        await strict.quiet()
      })

      test('nothing that listens is told as elsewhere', async () => {
        const { closed } = await strictly()
        await expect(closed.request({ port: 1, path: '/' })).rejects.toMatchObject({
          message: 'nothing listens on 127.0.0.1:1',
        })
      })

      test('one without bash either says so', async () => {
        const { closed } = await strictly([
          'SetEnv PATH=/nowhere',
          'ForceCommand exec /bin/sh -c "PATH=/nowhere; $SSH_ORIGINAL_COMMAND"',
        ])
        await expect(closed.request({ port: 9090, path: '/' })).rejects.toMatchObject({
          message: 'the host does not let 127.0.0.1:9090 be reached through SSH, nor by a bash of its own',
          hint: 'Set `AllowTcpForwarding local` in its sshd_config for this account, or install bash.',
        })
      })

      test('is known as such', async () => {
        const { closed } = await strictly()
        expect(await closed.forwards(9090)).toBe(false)
        expect(await connection.forwards(1)).toBe(true)
      })
    })
  })
})
