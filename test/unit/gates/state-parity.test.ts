import { expect, test } from 'vitest'
import { stateParity } from '../../../lib/gates/state-parity.ts'
import { alertAnswer, silenceAnswer as silence } from './answers.ts'
import { Answer, verdict, webServer } from './web-server.ts'

const MINUTE = 60_000
const clock = Date.parse('2026-01-01T10:00:00Z')
const ago = (ms: number): string => new Date(clock - ms).toISOString()

const alert = (fingerprint: string, { started = 10 * MINUTE, refreshed = 20_000 } = {}) =>
  alertAnswer(fingerprint, { startsAt: ago(started), updatedAt: ago(refreshed) })
const holding = (silences: readonly unknown[], alerts: readonly ReturnType<typeof alert>[], date = clock) => ({
  '/api/v2/silences': new Answer(200, JSON.stringify(silences)),
  '/api/v2/alerts': new Answer(200, JSON.stringify(alerts), { date: new Date(date).toUTCString() }),
})

type Pages = ReturnType<typeof holding>
const parity = async (mine: Pages, theirs: Pages) => {
  await using am1 = await webServer('am-1', mine)
  await using am2 = await webServer('am-2', theirs)
  return await verdict(stateParity(am1.endpoint, [am2.endpoint]))
}

test('passes when silences and alerts are the same', async () => {
  expect(await parity(holding([silence('s')], [alert('a')]), holding([silence('s')], [alert('a')]))).toEqual({
    pass: true,
    detail: '1 silence, 1 alert',
  })
})

test('an alert that a peer is being sent and this one lacks is named', async () => {
  expect(await parity(holding([], []), holding([], [alert('a')]))).toEqual({
    pass: false,
    why: 'lacks 1 alert of am-2 (Alert a)',
  })
})

test('an alert that is meant for the peer alone, as the heartbeat of a path is, is not missing here', async () => {
  const { labels, ...rest } = alert('a')
  const own = { ...rest, labels: { ...labels, vestal: 'path' } }
  expect(await parity(holding([], []), holding([], [own]))).toMatchObject({ pass: true })
})

test('an alert that only this one has does not matter: the peer’s own gate asks for it', async () => {
  expect(await parity(holding([], [alert('a')]), holding([], []))).toMatchObject({ pass: true })
})

test('an alert that began to fire this moment may still be under way', async () => {
  expect(await parity(holding([], []), holding([], [alert('a', { started: 3_000 })]))).toMatchObject({ pass: true })
})

test('an alert that no Prometheus sends again, such as one added by hand, is not waited for', async () => {
  expect(await parity(holding([], []), holding([], [alert('a', { refreshed: 5 * MINUTE })]))).toMatchObject({
    pass: true,
  })
})

test('how old an alert is goes by the peer’s clock, not by the controller’s', async () => {
  const late = holding([], [{ ...alert('a'), startsAt: ago(-MINUTE), updatedAt: ago(-MINUTE) }], clock + MINUTE)
  expect(await parity(holding([], []), late)).toMatchObject({ pass: true })
})

test('a silence that either side lacks is named', async () => {
  expect(await parity(holding([silence('mine')], []), holding([silence('theirs')], []))).toEqual({
    pass: false,
    why: 'am-2 lacks 1 silence (mine); lacks 1 silence of am-2 (theirs)',
  })
})

test('a silence that is over does not matter', async () => {
  expect(await parity(holding([], []), holding([silence('old', 'expired')], []))).toMatchObject({ pass: true })
})

test('a peer that doesn’t answer is what it lacks, unless something else is', async () => {
  await using am1 = await webServer('am-1', holding([], []))
  await using am2 = await webServer('am-2', holding([], [alert('a')]))
  const gone = { ...am2.endpoint, port: 1, host: { ...am2.endpoint.host, name: 'am-3', address: '10.0.0.3' } }
  expect(await verdict(stateParity(am1.endpoint, [gone]))).toEqual({
    pass: false,
    why: expect.stringMatching(/^what am-3 holds can’t be asked: /),
    lacks: ['10.0.0.3:1'],
  })
  const both = await verdict(stateParity(am1.endpoint, [gone, am2.endpoint]))
  expect(both).toEqual({ pass: false, why: expect.stringMatching(/can’t be asked: .*; lacks 1 alert of am-2/) })
})
