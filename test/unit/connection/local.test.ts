import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { expect, onTestFinished, test, vi } from 'vitest'
import { connect } from '../../../lib/connection/connect.ts'
import { word } from '../../../lib/shell.ts'
import { hostWith } from './host.ts'
import { me } from './sshd.ts'
import { anyWord } from './words.ts'

const local = () => connect(hostWith({ via: 'local' }))

test('a script runs here, in /, and its exit code is a value', async () => {
  await using connection = await local()
  const { code, stdout, stderr } = await connection.exec('id -un; pwd; echo words >&2; exit 3')
  expect({ code, stdout: stdout.toString(), stderr }).toEqual({ code: 3, stdout: `${me}\n/\n`, stderr: 'words\n' })
  expect((await connection.exec('kill -9 $$')).code).toBe(137)
})

test('words and standard input of any bytes arrive unchanged', async () => {
  await using connection = await local()
  await fc.assert(
    fc.asyncProperty(fc.array(anyWord, { maxLength: 6 }), fc.uint8Array({ maxLength: 500 }), async (texts, stdin) => {
      const { stdout } = await connection.exec(`printf '%s\\0' start ${texts.map(word).join(' ')}\ncat`, { stdin })
      expect(stdout.equals(Buffer.concat([Buffer.from(['start', ...texts, ''].join('\0')), stdin]))).toBe(true)
    }),
    { numRuns: 30 },
  )
})

test('a stream goes in, and a script that ends early leaves its exit code', async () => {
  await using connection = await local()
  const stream = () => Readable.from(Array.from({ length: 300 }, () => Buffer.alloc(100_000)))
  expect((await connection.exec('wc -c', { stdin: stream() })).stdout.toString().trim()).toBe('30000000')
  expect((await connection.exec('exit 5', { stdin: stream() })).code).toBe(5)
})

test('an abort ends the script and all that it has started', async () => {
  await using connection = await local()
  const stop = new AbortController()
  const folder = mkdtempSync(join(tmpdir(), 'vestal-local-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const child = `trap "echo >${folder}/told; exit" TERM; echo; sleep 60 & wait`
  const running = connection.exec(`sh -c '${child}' & wait`, {
    signal: stop.signal,
    onStdout: () => stop.abort(new Error('enough')),
  })
  await expect(running).rejects.toThrow('enough')
  await vi.waitFor(() => expect(readdirSync(folder)).toEqual(['told']))
})

test('a script that prints nothing for too long is ended', async () => {
  await using connection = await local()
  await expect(connection.exec('sleep 60', { idle: '100ms' })).rejects.toMatchObject({
    name: 'LinkError',
    message: 'the link was lost while a script ran: no output for 100 ms',
  })
})

test('HTTP goes straight to the port', async () => {
  const server = createServer((request, response) => response.end(`you asked for ${request.url}`)).listen(
    0,
    '127.0.0.1',
  )
  onTestFinished(() => void server.close())
  await new Promise((resolve) => server.on('listening', resolve))
  await using connection = await local()
  const { port } = server.address() as AddressInfo
  expect(await connection.request({ port, path: '/x' })).toMatchObject({ status: 200, body: 'you asked for /x' })
  await expect(connection.request({ port: 1, path: '/x' })).rejects.toThrow('nothing listens on 127.0.0.1:1')
  expect(connection.cost).toEqual({ execs: 0, pushedBytes: 0, requests: 2 })
})
