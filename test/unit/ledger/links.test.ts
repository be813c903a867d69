/** The ledger's two ends on a host, by way of a connection to this machine: the file of metrics, and the receiver. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { connect as connectTo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { connect } from '../../../lib/connection/connect.ts'
import { HostError, LinkError } from '../../../lib/errors.ts'
import { keepLink, reachBy, requireFirst } from '../../../lib/ledger/kept-link.ts'
import { metricsFile } from '../../../lib/ledger/metrics-file.ts'
import { openEars, type ReceiverAnswer } from '../../../lib/ledger/receiver.ts'
import { tokenIn } from '../../../lib/ledger/token.ts'
import type { Host } from '../../../lib/model.ts'
import { hostWith } from '../connection/host.ts'
import { freePort } from '../connection/sshd.ts'

const host = hostWith({ via: 'local' })
const open = (one: Host) => connect(one)
const scratch = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'vestal-ledger-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

describe('the file of metrics', () => {
  const onlyFile = (folder: string): string | undefined => readdirSync(folder).find((name) => name.endsWith('.prom'))

  test('holds what was written last, and goes when it is not needed any more', async () => {
    const folder = scratch()
    const written: string[] = []
    const file = metricsFile({ run: 'run-1', machines: [{ host, folder, address: '' }], connect: open })
    await requireFirst(file.links)
    for (const text of ['a 1\n', 'a 1\nb 2\n', 'b "2"\n']) file.write(text, () => written.push(text))
    await vi.waitFor(() => expect(written).toHaveLength(3))
    expect(onlyFile(folder)).toBe('vestal-canary-run-1.prom')
    expect(readFileSync(join(folder, 'vestal-canary-run-1.prom'), 'utf8')).toBe('b "2"\n')
    await file[Symbol.asyncDispose]()
    expect(readdirSync(folder)).toEqual([])
  })

  test('goes when the link breaks, and comes again with what it held', async () => {
    const folder = scratch()
    const opened: Awaited<ReturnType<typeof open>>[] = []
    const keep = async (one: Host) => {
      const connection = await connect(one)
      opened.push(connection)
      return connection
    }
    await using file = metricsFile({ run: 'r', machines: [{ host, folder, address: '' }], connect: keep })
    await requireFirst(file.links)
    const written = vi.fn()
    file.write('a 1\n', written)
    await vi.waitFor(() => expect(written).toHaveBeenCalledOnce())
    await opened[0]?.[Symbol.asyncDispose]()
    await vi.waitFor(() => expect(opened).toHaveLength(2), { timeout: 10_000 })
    await vi.waitFor(() => expect(readFileSync(join(folder, 'vestal-canary-r.prom'), 'utf8')).toBe('a 1\n'), {
      timeout: 10_000,
    })
  })

  test('makes room for itself: what a killed run left minutes ago is removed, and nothing else', async () => {
    const folder = scratch()
    for (const name of ['vestal-canary-old.prom', 'vestal-canary-new.prom', 'mine.prom'])
      writeFileSync(join(folder, name), '')
    utimesSync(join(folder, 'vestal-canary-old.prom'), 1, 1)
    utimesSync(join(folder, 'vestal-canary-new.prom'), new Date(), new Date())
    utimesSync(join(folder, 'mine.prom'), 1, 1)
    await using file = metricsFile({ run: 'r', machines: [{ host, folder, address: '' }], connect: open })
    await requireFirst(file.links)
    expect(
      readdirSync(folder)
        .filter((name) => !name.includes('-r.'))
        .sort(),
    ).toEqual(['mine.prom', 'vestal-canary-new.prom'])
  })

  test('in a folder that is not there is an error', async () => {
    await using file = metricsFile({ run: 'r', machines: [{ host, folder: '/nowhere', address: '' }], connect: open })
    await expect(requireFirst(file.links)).rejects.toThrow('/nowhere')
  })
})

const TOKEN = 'a0'.repeat(32)

describe('the receiver', () => {
  const endpoint = { host, port: 9093 }
  const message = (labels: object, status = 'firing') => ({
    status,
    alerts: [{ status, fingerprint: 'f', labels: { alertname: 'VestalCanary', ...labels } }],
  })
  const listening = async () => {
    const port = await freePort()
    const calls = { notified: vi.fn(), foreign: vi.fn(), lost: vi.fn(), back: vi.fn() }
    const tokenFile = join(mkdtempSync(join(tmpdir(), 'vestal-token-')), 'token')
    writeFileSync(tokenFile, TOKEN)
    let answering: ReceiverAnswer = {}
    const answer = (next: ReceiverAnswer): void => {
      answering = next
    }
    const ears = openEars([{ endpoint, port, token: tokenIn(tokenFile) }], open)
    onTestFinished(() => ears[Symbol.asyncDispose]())
    const { links } = ears
    ears.listen({ run: 'run-1', answer: () => answering, ...calls })
    await requireFirst(links)
    const post = (body: string, authorization = `Bearer ${TOKEN}`) =>
      fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body, headers: { authorization } })
    return { calls, ears, links, post, answer, port, tokenFile }
  }

  test('tells of canaries of its own run, with the whole message', async () => {
    const { calls, post } = await listening()
    const body = message({ canary: 'c0001', run: 'run-1' }, 'resolved')
    expect((await post(JSON.stringify(body))).status).toBe(200)
    expect(calls.notified.mock.calls).toEqual([
      [{ what: 'notified', canary: 'c0001', status: 'resolved', fingerprint: 'f', host: host.name, body }],
    ])
    expect(calls.foreign).not.toHaveBeenCalled()
  })

  test('that is to fail takes nothing, so that it comes again; one that is to be slow takes it at once', async () => {
    const { calls, post, answer } = await listening()
    const body = JSON.stringify(message({ canary: 'c0001', run: 'run-1' }))
    answer({ status: 500 })
    expect((await post(body)).status).toBe(500)
    expect(calls.notified).not.toHaveBeenCalled()
    answer({ delayMs: 300 })
    const startedAt = Date.now()
    expect((await post(body)).status).toBe(200)
    expect([calls.notified.mock.calls.length, Date.now() - startedAt >= 290]).toEqual([1, true])
  })

  test('accepts what an earlier run left, and what is no alert, so that it is not tried again', async () => {
    const { calls, post } = await listening()
    expect((await post(JSON.stringify(message({ canary: 'c0001', run: 'run-0' })))).status).toBe(200)
    expect((await post('not JSON')).status).toBe(200)
    expect(calls.notified).not.toHaveBeenCalled()
    expect(calls.foreign).toHaveBeenCalledTimes(2)
  })

  test('tells two runs of their own canaries each, both of what is neither of theirs, and one that listens no more of nothing', async () => {
    const { calls, ears, post } = await listening()
    let status = 500
    const other = { notified: vi.fn(), foreign: vi.fn(), lost: vi.fn(), back: vi.fn() }
    const listens = ears.listen({ run: 'run-2', answer: () => ({ status }), ...other })
    const of = (run: string) => JSON.stringify(message({ canary: 'c0001', run }))
    expect((await post(of('run-1'))).status).toBe(200)
    expect([calls.notified.mock.calls.length, other.foreign.mock.calls.length]).toEqual([1, 0])
    expect((await post(of('run-2'))).status).toBe(500)
    status = 200
    expect((await post(of('run-0'))).status).toBe(200)
    expect([calls.foreign.mock.calls.length, other.foreign.mock.calls.length]).toEqual([1, 1])
    listens[Symbol.dispose]()
    expect((await post(of('run-2'))).status).toBe(200)
    expect([calls.foreign.mock.calls.length, calls.notified.mock.calls.length]).toEqual([2, 1])
    expect(other.notified).not.toHaveBeenCalled()
  })

  test('hears nobody who has not the token of its host, and tells Alertmanager to try again until there is one', async () => {
    const { calls, post, tokenFile } = await listening()
    const body = JSON.stringify(message({ canary: 'c0001', run: 'run-1' }))
    for (const wrong of ['', 'Bearer ', `Bearer ${TOKEN.replace('a', 'b')}`, TOKEN])
      expect((await post(body, wrong)).status).toBe(403)
    rmSync(tokenFile)
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 60_000)
    onTestFinished(() => void vi.restoreAllMocks())
    expect((await post(body, 'Bearer x')).status).toBe(503)
    expect([calls.notified.mock.calls.length, calls.foreign.mock.calls.length]).toEqual([0, 0])
  })

  test('keeps nothing of a message that is larger than any, nor of more than there can be', async () => {
    const { calls, post } = await listening()
    const alert = message({ canary: 'c0001', run: 'run-1' }).alerts[0]
    expect((await post(JSON.stringify({ alerts: Array(5_000).fill(alert) }))).status).toBe(200)
    expect(calls.foreign.mock.calls).toEqual([[host.name, undefined]])
    for (let i = 0; i < 25; i += 1) await post(JSON.stringify({ alerts: Array(1_000).fill(alert) }))
    expect(calls.notified).toHaveBeenCalledTimes(20_000)
    for (let i = 0; i < 1_100; i += 1) await post('{}')
    expect(calls.foreign).toHaveBeenCalledTimes(1_000)
  })

  test('leaves connections that are more than an Alertmanager has', async () => {
    const { calls, post, port } = await listening()
    const strangers = Array.from({ length: 60 }, () => connectTo(port, '127.0.0.1').on('error', () => undefined))
    onTestFinished(() => strangers.forEach((one) => void one.destroy()))
    await vi.waitFor(() => expect(strangers.filter(({ destroyed }) => destroyed).length).toBeGreaterThan(20))
    for (const one of strangers) one.destroy()
    await vi.waitFor(async () => expect((await post('{}')).status).toBe(200), { timeout: 5_000 })
    expect(calls.foreign).toHaveBeenCalled()
  })

  test('is made again when its link breaks', async () => {
    const { calls, links, post } = await listening()
    await links[0]?.connection()?.[Symbol.asyncDispose]()
    await vi.waitFor(() => expect(calls.back).toHaveBeenCalledOnce(), { timeout: 10_000 })
    expect(calls.lost).toHaveBeenCalledOnce()
    expect((await post(JSON.stringify(message({ canary: 'c0001', run: 'run-1' })))).status).toBe(200)
    expect(calls.notified).toHaveBeenCalledOnce()
  })
})

describe('of several links', () => {
  const failing = (error: Error) => keepLink(host, { connect: () => Promise.reject(error), use: async () => undefined })
  const working = () =>
    keepLink(host, {
      connect: open,
      async use(_, { up, over }) {
        up()
        await new Promise((resolve) => over.addEventListener('abort', resolve))
      },
    })

  test('one that cannot be made is passed over as long as another is there', async () => {
    await using down = failing(new LinkError('am-1', 'no route'))
    await using up = working()
    await requireFirst([down, up])
    await expect(requireFirst([down])).rejects.toThrow('no route')
    expect((await reachBy([up])(host)).host).toBe(host)
    await expect(reachBy([down])(host)).rejects.toThrow('its link is broken now')
  })

  test('one whose host says no is an error', async () => {
    await using refused = failing(new HostError('am-1', 'may not'))
    await using up = working()
    await expect(requireFirst([refused, up])).rejects.toThrow('may not')
  })
})
