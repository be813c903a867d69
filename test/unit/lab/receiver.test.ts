import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { notificationsFile } from '../../../lib/lab/places.ts'
import { clearNotifications, labNotifications } from '../../../lib/lab/receiver.ts'

const program = join(import.meta.dirname, '../../../lib/lab/receiver-main.ts')
let root = ''
let url = ''
let receiver: ChildProcess

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address ? address.port : 0
}
const post = async (path: string, body: string) => (await fetch(`${url}${path}`, { method: 'POST', body })).status

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'vestal-lab-'))
  vi.stubEnv('VESTAL_LAB_DIR', root)
  mkdirSync(join(notificationsFile('default'), '..'), { recursive: true })
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  receiver = spawn(process.execPath, [program, '127.0.0.1', `${port}`, notificationsFile('default')], {
    stdio: 'inherit',
  })
  const healthy = () =>
    fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    )
  await expect.poll(healthy, { timeout: 10_000 }).toBe(true)
})
afterEach(async () => {
  receiver.kill()
  await once(receiver, 'close')
  vi.unstubAllEnvs()
  rmSync(root, { recursive: true })
})

describe('the webhook receiver', () => {
  it('has nothing to show before anything came', () => {
    expect(labNotifications()).toEqual([])
  })

  it('keeps every notification of many at once, each whole', async () => {
    const bodies = Array.from({ length: 50 }, (_, i) => ({ number: i, text: 'ä\n"'.repeat(1000) }))
    await Promise.all(bodies.map((body) => post('/hook', JSON.stringify(body))))
    const numbers = labNotifications().map(({ body }) => body)
    expect(numbers.length).toBe(50)
    expect(numbers).toEqual(expect.arrayContaining(bodies))
  })

  it('keeps what is not JSON as text', async () => {
    await post('/hook', 'plain: text')
    expect(labNotifications()[0]?.body).toBe('plain: text')
  })

  it('answers as it was last told to, and does not record being told', async () => {
    expect(await post('/__control', '{"status": 503}')).toBe(200)
    expect(await post('/hook', '{}')).toBe(503)
    expect(await post('/__control', '{}')).toBe(200)
    expect(await post('/hook', '{}')).toBe(200)
    expect(labNotifications().map(({ path, status }) => `${path} ${status}`)).toEqual(['/hook 503', '/hook 200'])
  })

  it('goes on recording after being cleared', async () => {
    await post('/one', '{}')
    clearNotifications()
    await post('/two', '{}')
    expect(labNotifications().map(({ path }) => path)).toEqual(['/two'])
  })

  it('is read while a line is still being written', async () => {
    writeFileSync(notificationsFile('default'), '')
    await post('/one', '{}')
    appendFileSync(notificationsFile('default'), '{"at": "2026-')
    expect(labNotifications().map(({ path }) => path)).toEqual(['/one'])
  })
})
