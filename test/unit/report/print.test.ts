import fc from 'fast-check'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { adviceText, lineOf } from '../../../lib/report/lines.ts'
import { escaped, print, printError, shown } from '../../../lib/report/print.ts'
import { statusText } from '../../../lib/report/status.ts'
import { planText, reportText } from '../../../lib/report/text.ts'

/** What a terminal obeys, or shows otherwise than it stands there: said once more, without Unicode's own classes. */
const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/

describe('text for people', () => {
  test.each([
    ['a new title for the window', '\x1b]0;all is well\x07', '\\u001b]0;all is well\\u0007'],
    ['an empty screen', '\x1b[2J\x1b[H', '\\u001b[2J\\u001b[H'],
    ['the same in one character (C1)', '\u009b2J', '\\u009b2J'],
    ['a line written over', 'FAILED\rhealthy', 'FAILED\\u000dhealthy'],
    ['letters taken back', 'bad\b\b\bgood\x7f', 'bad\\u0008\\u0008\\u0008good\\u007f'],
    ['text from right to left', 'web\u202e1-bd\u2066', 'web\\u202e1-bd\\u2066'],
    ['marks of direction', '\u200e\u200f\u061c', '\\u200e\\u200f\\u061c'],
    ['what cannot be seen', 'a\u200bb\ufeffc\u{e0041}', 'a\\u200bb\\ufeffc\\udb40\\udc41'],
    ['lines of another kind', 'a\u2028b\u2029c\u0085d', 'a\\u2028b\\u2029c\\u0085d'],
    ['half a character', 'a\ud800b', 'a\\ud800b'],
  ])('shows %s', (_, said, text) => {
    expect(escaped(said)).toBe(text)
  })

  test.each(['zwölf', 'a\n\tb', '数据中心', '👩‍🚒 on call', 'क्‍ष', '\\u001b', ''])('leaves %j as it is', (text) => {
    expect(escaped(text)).toBe(text)
  })

  test('holds nothing that a terminal obeys, whatever is said, and is not escaped twice', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (one, other) => {
        const text = escaped(`${one}\x1b[8m${other}\u009b`)
        expect(text).not.toMatch(OBEYED)
        expect(escaped(text)).toBe(text)
      }),
    )
  })

  test('that is JSON means what it meant', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const json = JSON.stringify(value)
        expect(JSON.parse(escaped(json))).toEqual(JSON.parse(json))
      }),
    )
  })

  test('keeps our own colours, and no other command', () => {
    const written: string[] = []
    for (const stream of [process.stdout, process.stderr]) {
      const spy = vi.spyOn(stream, 'write').mockImplementation((text) => written.push(String(text)) > 0)
      onTestFinished(() => spy.mockRestore())
    }
    print('\x1b[31mfailed\x1b[39m \x1b[8mhidden\x1b[0;8mmore\x1b[31;8m')
    printError('web-1: \x1b]0;x\x07')
    expect(written).toEqual([
      '\x1b[31mfailed\x1b[39m \\u001b[8mhidden\\u001b[0;8mmore\\u001b[31;8m\n',
      'web-1: \\u001b]0;x\\u0007\n',
    ])
  })
})

describe('what a host says, wherever it is shown,', () => {
  const evil = '\x1b[32mfine\x1b[39m\r\u202e\u009b2J\nweb-2: all is well'
  const at = '2026-01-01T00:00:00Z'
  const plan = {
    vestal: 'plan/1',
    playbook: 'deploy',
    inventory: 'x',
    changes: 1,
    unreachable: { 'web-1': evil },
    batches: [
      {
        play: 'p',
        interrupts: true,
        hosts: [
          {
            host: 'web-1',
            same: 0,
            changes: [
              { task: evil, role: 'r', action: 'change', why: evil, steps: [evil], interrupts: true, diff: `+${evil}` },
            ],
          },
        ],
      },
    ],
  } as const
  const report = {
    vestal: 'report/1',
    run: 'r',
    playbook: 'deploy',
    inventory: 'x',
    startedAt: at,
    ms: 1,
    interrupted: false,
    hosts: { 'web-1': { [evil]: { status: 'failed', ms: 1, why: evil, hint: evil } } },
    gates: [{ name: evil, host: 'web-1', play: 'p', pass: false, why: evil, ms: 1 }],
    stops: [evil],
    cost: {},
  } as const
  const look = {
    instances: [
      {
        instance: 'web-1',
        role: 'r',
        healthy: false,
        failing: [evil],
        version: { running: evil, disk: evil },
        service: evil,
      },
    ],
    notes: [evil],
    healthy: false,
  } as unknown as Parameters<typeof statusText>[0]

  test.each([
    ['a plan', planText(plan)],
    ['a report', reportText(report)],
    ['status', statusText(look)],
    ['advice', adviceText({ level: 'warns', where: 'web-1', what: evil, why: evil, fix: evil })],
    [
      'a step',
      lineOf({ at, event: 'step', host: 'web-1', task: 't', title: 't', state: 'failed', output: evil }, false) ?? '',
    ],
    ['a failure', lineOf({ at, event: 'host-failed', host: 'web-1', task: 't', why: evil }, false) ?? ''],
    [
      'a gate',
      lineOf(
        {
          at,
          event: 'gate',
          host: 'web-1',
          play: 'p',
          name: 'g',
          verdict: { pass: false, why: evil },
          last: true,
          ms: 1,
        },
        false,
      ) ?? '',
    ],
  ])('is text in %s', (_, text) => {
    expect(text).not.toMatch(OBEYED)
    expect(text).toContain('\\u001b[32mfine')
    expect(text).not.toMatch(/^web-2: all is well/m)
  })

  test('is text in every field of a value, and in its keys', () => {
    expect(shown({ a: [{ '\x1b': '\u009b' }], n: 1, none: null, done: true })).toEqual({
      a: [{ '\\u001b': '\\u009b' }],
      n: 1,
      none: null,
      done: true,
    })
  })
})
