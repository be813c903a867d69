import { expect, test } from 'vitest'
import { figuresOf } from '../../../lib/drill/figures.ts'
import type { LedgerEvent } from '../../../lib/ledger/events.ts'

type Line = readonly [
  seconds: number,
  canary: string,
  what: 'sent' | 'silenced' | 'firing' | 'resolved',
  labels?: object,
]
const story = (...lines: readonly Line[]): readonly LedgerEvent[] =>
  lines.map(([s, canary, what, labels]) => {
    const at = s * 1000
    if (what === 'sent' || what === 'silenced') return { at, what: 'sent', canary, silenced: what === 'silenced' }
    const fingerprint = JSON.stringify(labels ?? {})
    const body = { alerts: [{ fingerprint, labels: labels ?? {} }] }
    return { at, what: 'notified', canary, status: what, fingerprint, host: 'am-1', body }
  })
const FAULT = { beginAt: 30_000, endAt: 60_000 }

/** A canary as a member notified it. */
const by = (host: string, seconds: number, canary: string, status: 'firing' | 'resolved' = 'firing'): LedgerEvent =>
  ({ at: seconds * 1000, what: 'notified', canary, status, fingerprint: '1', host, body: {} }) as LedgerEvent

test('the latest before the faults and the latest since are told apart by when they came', () => {
  const { control, during } = figuresOf(
    story([0, 'a', 'sent'], [7, 'a', 'firing'], [28, 'b', 'sent'], [40, 'b', 'firing'], [41, 'b', 'firing']),
    FAULT,
  )
  expect({ control, during }).toEqual({
    control: { delivered: 1, largestDelayMs: 7_000 },
    during: { delivered: 1, largestDelayMs: 12_000 },
  })
})

test('silenced ones count in neither, and without faults all is before them', () => {
  const events = story([0, 's', 'silenced'], [1, 's', 'firing'], [50, 'a', 'sent'], [52, 'a', 'firing'])
  expect(figuresOf(events, undefined)).toMatchObject({ control: { delivered: 1 }, during: { delivered: 0 } })
})

test('one that was notified well before the faults and again since was forgotten; one notified just before them was not', () => {
  const events = story(
    [0, 'old', 'sent'],
    [10, 'old', 'firing'],
    [20, 'new', 'sent'],
    [28, 'new', 'firing'],
    [40, 'old', 'firing'],
    [40, 'new', 'firing'],
  )
  expect(figuresOf(events, FAULT).forgotten).toEqual(['old'])
})

test('two members within a second of each other are told apart from one member twice, and from two that could have heard', () => {
  const events = [
    ...[by('am-1', 46.4, 'raced'), by('am-2', 46.8, 'raced')],
    ...[by('am-1', 50, 'same'), by('am-1', 50.5, 'same')],
    ...[by('am-1', 60, 'heard'), by('am-2', 62, 'heard')],
    ...[by('am-1', 70, 'over', 'resolved'), by('am-2', 70.1, 'over')],
  ]
  expect(figuresOf(events, FAULT).together).toEqual(['raced'])
})

test('what one that is back notifies again before it was told of it is told apart from all else that came twice', () => {
  const events = [
    ...[by('ring-2', 58, 'while it was away'), by('ring-1', 62, 'while it was away')],
    ...[by('ring-2', 61, 'untold'), by('ring-1', 63, 'untold')],
    ...[by('ring-2', 62, 'by another'), by('ring-3', 64, 'by another')],
    ...[by('ring-1', 64, 'by itself first'), by('ring-2', 66, 'by itself first')],
    ...[by('ring-2', 79, 'just before'), by('ring-1', 81, 'just before')],
    ...[by('ring-2', 80, 'told'), by('ring-1', 82, 'told')],
  ]
  const back = [{ host: 'ring-1', backAt: 60_000, hearsAt: 80_000 }]
  expect(figuresOf(events, FAULT, back).unheard).toEqual(['untold', 'just before'])
  expect(figuresOf(events, FAULT).unheard).toBeUndefined()
})

test('what a ledger does not count as twice is none of those that are told apart', () => {
  const events: readonly LedgerEvent[] = [
    ...story([50, 'a', 'sent'], [50, 's', 'silenced']),
    { at: 55_000, what: 'link-lost', host: 'ring-1', why: 'x' },
    ...[by('ring-2', 61, 'a'), by('ring-1', 63, 'a'), by('ring-2', 61, 's'), by('ring-1', 63, 's')],
  ]
  expect(figuresOf(events, FAULT, [{ host: 'ring-1', backAt: 60_000, hearsAt: 80_000 }]).unheard).toEqual([])
})

test('one that was resolved between was not forgotten', () => {
  const events = story([0, 'a', 'sent'], [10, 'a', 'firing'], [20, 'a', 'resolved'], [40, 'a', 'firing'])
  expect(figuresOf(events, FAULT).forgotten).toEqual([])
})

test('labels in which the notifications of one canary differ are named', () => {
  const both = { alertname: 'VestalCanary', run: 'r' }
  const events = story(
    [0, 'a', 'sent'],
    [5, 'a', 'firing', { ...both, replica: 'prom-1' }],
    [6, 'a', 'firing', { ...both, replica: 'prom-2' }],
    [7, 'b', 'firing', { ...both, replica: 'prom-1' }],
  )
  expect(figuresOf(events, FAULT).differing).toEqual(['replica'])
})
