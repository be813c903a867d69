import { beforeEach, describe, expect, inject, it } from 'vitest'
import { receiverUrl } from '../../../lib/lab/places.ts'
import { clearNotifications, labNotifications, setReceiver } from '../../../lib/lab/receiver.ts'
import { labExec } from '../../../lib/lab/ssh.ts'

const lab = inject('lab').name

/** What a host's HTTP client sees when it posts, as Alertmanager does. */
const postFromHost = async (path: string, body: unknown) => {
  const client = `import sys, urllib.request
try: print(urllib.request.urlopen(sys.argv[1], data=sys.stdin.buffer.read()).status)
except urllib.error.HTTPError as error: print(error.code)`
  const { stdout } = await labExec('lab-1', `python3 -c '${client}' ${receiverUrl}${path}`, {
    lab,
    input: JSON.stringify(body),
  })
  return Number(stdout)
}

beforeEach(async () => {
  await setReceiver({}, lab)
  clearNotifications(lab)
})

describe('the webhook receiver', () => {
  it('records what a host posts, with its path, its time and the answer', async () => {
    const before = new Date().toISOString()
    expect(await postFromHost('/team-a', { status: 'firing', alerts: [{ labels: { alertname: 'Größe "1"' } }] })).toBe(
      200,
    )
    const [only, ...more] = labNotifications(lab)
    expect(more).toEqual([])
    expect(only).toMatchObject({
      path: '/team-a',
      status: 200,
      body: { alerts: [{ labels: { alertname: 'Größe "1"' } }] },
    })
    expect(only && only.at >= before && only.at <= new Date().toISOString()).toBe(true)
  })

  it('fails as it is told to, and still records', async () => {
    await setReceiver({ status: 500 }, lab)
    expect(await postFromHost('/', {})).toBe(500)
    await setReceiver({}, lab)
    expect(await postFromHost('/', {})).toBe(200)
    expect(labNotifications(lab).map(({ status }) => status)).toEqual([500, 200])
  })

  it('answers late as it is told to', async () => {
    await setReceiver({ delayMs: 700 }, lab)
    const start = Date.now()
    await postFromHost('/', {})
    expect(Date.now() - start).toBeGreaterThanOrEqual(700)
  })

  it('forgets what is cleared', async () => {
    await postFromHost('/', {})
    clearNotifications(lab)
    expect(labNotifications(lab)).toEqual([])
  })
})
