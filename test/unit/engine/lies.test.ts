import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Frame, frame, type Mark } from '../../../lib/engine/frame.ts'
import { readProbe } from '../../../lib/engine/probe.ts'
import { HostError } from '../../../lib/errors.ts'
import { command } from '../../../lib/kinds/command.ts'
import { directory } from '../../../lib/kinds/directory.ts'
import { file } from '../../../lib/kinds/file.ts'
import { packages } from '../../../lib/kinds/packages.ts'
import { release } from '../../../lib/kinds/release.ts'
import { service } from '../../../lib/kinds/service.ts'
import { symlink } from '../../../lib/kinds/symlink.ts'
import { unit } from '../../../lib/kinds/unit.ts'
import { systemUser } from '../../../lib/kinds/user.ts'
import type { Task } from '../../../lib/model.ts'
import { hostWith } from '../connection/host.ts'
import { bookOf, fleet, playOf, roleOf } from './fleet.ts'
import { line } from './scratch.ts'

const marks: Frame = frame('n0nce')
const marked = (event: string, body: string | Buffer): Buffer =>
  Buffer.concat([Buffer.from(`\x1en0nce ${event}\n`), Buffer.from(body)])
const FACTS = 'os=debian 12\narch=x86_64\nboot=b00t\nsystemd=252\nclock=1764201600000000000\n'

/** What becomes of a host that says this of itself and of its tasks. */
const hear = (tasks: readonly Task[], { facts = FACTS, kind = '' as string | Buffer } = {}) =>
  readProbe(tasks, marks, {
    host: 'web-1',
    stdout: Buffer.concat([
      marked('facts ', facts),
      ...[...new Set(tasks.map((task) => task.kind.name))].map((name) => marked(`kind ${name}`, kind)),
      marked('end ', ''),
    ]),
    sentAt: 0,
    receivedAt: 0,
  })

const prometheus = service('prometheus', {
  command: ['/bin/p'],
  executable: '/opt/p/1/p',
  unit: unit('prometheus.service', '[Service]'),
  loads: [file('/etc/p.yml', 'a: b')],
})
const tasks: readonly Task[] = [
  file('/etc/p.yml', 'a: b'),
  directory('/etc/rules', { only: ['a'] }),
  symlink('/opt/p/current', '1'),
  command('once', 'true', { unless: 'false' }),
  packages(['curl']),
  systemUser('prometheus', { groups: ['adm'] }),
  unit('prometheus.service', '[Service]'),
  release({ owner: 'o', repo: 'r', name: 'p', version: '1', binaries: ['p'] }, hostWith()),
  prometheus,
]
const wrong = (about: string, why: string) => ({
  name: 'HostError',
  host: 'web-1',
  task: 'read',
  message: `what it says of ${about} cannot be understood: ${why}`,
})
/** A reading, or a host's failure: no bug. */
const isHeard = (heard: unknown): boolean =>
  heard instanceof HostError || (heard as { states?: unknown }).states instanceof Map
const thrownBy = (work: () => unknown): unknown => {
  try {
    return work()
  } catch (error) {
    return error
  }
}

describe('of a host that lies, what it says is its own failure:', () => {
  test.each([
    ['a clock that is a word', 'clock=now\n', 'its clock says "now", which is no number'],
    ['a clock that has none', '', 'its clock says "", which is no number'],
    ['a clock without nanoseconds', 'clock=1764201600N\n', 'its clock says "1764201600N", which is no number'],
    [
      'a clock beyond all numbers',
      `clock=${'9'.repeat(999)}\n`,
      `its clock says "${'9'.repeat(999)}", which is no number`,
    ],
    ['a clock of a megabyte', `clock=${'9'.repeat(1e6)}\n`, 'its clock is 1000000 characters long'],
    ['a system of a megabyte', `clock=1\nos=${'x'.repeat(1e6)}\n`, 'its os is 1000000 characters long'],
  ])('%s', (_, facts, why) => {
    expect(thrownBy(() => hear([], { facts }))).toMatchObject(wrong('itself', why))
  })

  const stat = (mode: string): string =>
    ['/etc/p.yml', 'regular file', mode, 'root', 'root', '0', '0', '#', ''].join('\0')
  const shown = (properties: string, time = '1.0 1.0 644 root root'): string =>
    [
      `MainPID=42\nLoadState=loaded\n${properties}`,
      '#',
      '#',
      '#',
      '#',
      '/etc/p.yml',
      'regular file',
      time,
      '#',
      '#',
      '',
    ].join('\0')
  test.each([
    ['a mode that is a program', tasks[0], stat('644 /;reboot;#'), 'file', 'a mode is "644 /;reboot;#"'],
    ['a mode of other digits', tasks[0], stat('999'), 'file', 'a mode is "999"'],
    ['a file’s time that is a word', prometheus, shown('', 'soon soon'), 'service', 'a file\'s time is "soon"'],
    ['a file’s time in hex', prometheus, shown('', '0x10 0x10'), 'service', 'a file\'s time is "0x10"'],
    [
      'a month that there is not',
      prometheus,
      shown('ExecMainStartTimestamp=Sat 2025-19-39 16:21:03.000000 UTC'),
      'service',
      'a time is 2025-19-39 16:21:03',
    ],
  ] as const)('%s', (_, task, kind, name, why) => {
    expect(thrownBy(() => hear([task as Task], { kind }))).toMatchObject(wrong(`its ${name} tasks`, why))
  })

  test('a systemd of less than nothing is none', () => {
    expect(hear([], { facts: 'clock=1\nsystemd=-1\n' })?.facts.systemd).toBe(0)
  })

  test('names that every object has are only names', () => {
    const reading = hear([symlink('/l', 'x')], {
      facts: 'clock=1\narch=constructor\n',
      kind: '/l\0constructor\0toString\0',
    })
    expect(reading?.facts.arch).toBe('constructor')
    expect(reading?.states.get('symlink /l')).toEqual({ type: 'special file', target: 'toString' })
  })

  test.each(tasks.map((task) => [task.kind.name, task] as const))(
    'any bytes about a %s are understood or refused, never a bug',
    (_, task) => {
      const paths = ['/etc/p.yml', '/etc/rules', '/etc/rules/b', '/opt/p/current', '/opt/vestal/p/1', '/proc/42/exe']
      const piece = fc.oneof(
        fc.constantFrom('#', '\n', ' ', ':', '=', '0', '644', 'root', 'regular file', '__proto__', 'other', ...paths),
        fc.constantFrom('MainPID=42', 'LoadState=loaded', 'StateChangeTimestamp=Sat 2025-11-22 16:21:03.5 UTC'),
        fc.string({ unit: 'binary' }),
      )
      fc.assert(
        fc.property(fc.array(fc.array(piece, { maxLength: 3 }), { maxLength: 40 }), (records) => {
          const heard = thrownBy(() => hear([task], { kind: records.map((one) => `${one.join('')}\0`).join('') }))
          expect(heard).toSatisfy(isHeard)
        }),
        { numRuns: 100 },
      )
    },
  )

  test.each(['#\0', '\0', '/a\0', '\n'])('megabytes of %j about anything are refused or read at once', (record) => {
    const kind = Buffer.alloc(1024 * 1024, record)
    for (const task of tasks) expect(thrownBy(() => hear([task], { kind }))).toSatisfy(isHeard)
  })

  test('as many files and names as fit are looked through once', () => {
    const many = Array.from({ length: 45_000 }, (_, i) => `/etc/${i}`)
    const stats = many.flatMap((path) => [path, 'directory', '1.0'])
    const names = many.map((path) => `${path}/x`)
    const kind = [...['', '#', '#', '#', '#'], ...stats, '#', '#', ...names, ''].join('\0')
    expect(hear([prometheus], { kind })?.states.size).toBe(0)
  })
})

describe('markers followed as they come', () => {
  const told = (pieces: readonly Buffer[]): readonly string[] => {
    const seen: Mark[] = []
    const follow = marks.follow((mark) => seen.push(mark))
    for (const piece of pieces) follow(piece)
    return seen.map(({ event, detail, before }) => `${event} ${detail}<${before}`)
  }
  const output = Buffer.concat([marked('step 0', 'one\ntwo\n'), marked('code 0 0', ''), marked('facts ', 'x')])
  const wanted = ['step 0<', 'code 0 0<one\ntwo\n', 'facts <']

  test('are the same wherever their bytes are cut', () => {
    for (let size = 1; size <= output.length; size += 1) {
      const pieces = Array.from({ length: Math.ceil(output.length / size) }, (_, i) =>
        output.subarray(i * size, (i + 1) * size),
      )
      expect(told(pieces)).toEqual(wanted)
    }
  })

  test('hold the last of what came between, however much it was, and a marker that never ends is none', () => {
    const forged = Buffer.from(`\x1en0nce step ${'9'.repeat(100_000)}`)
    const much = Buffer.alloc(1_000_000, 'x')
    const [first, last] = told([forged, much, Buffer.from('the end'), marked('code 0 0', '')])
    expect(last).toBeUndefined()
    expect(first).toMatch(/^code 0 0<x+the end$/)
    expect(first?.length).toBeLessThan(70_000)
  })

  test('are no more than a script can print, however many a host does', () => {
    const many = Buffer.alloc(8 * 1024 * 1024, '\x1en0nce facts \n')
    expect(marks.split(many)).toHaveLength(50_000)
    expect(thrownBy(() => hear([], { facts: many.toString() }))).toBeNull()
  })

  test('cost no more than what comes, in pieces of any size', () => {
    const byte = Buffer.from('x')
    const follow = marks.follow(() => {})
    for (let i = 0; i < 1_000_000; i += 1) follow(byte)
  })
})

describe('in a whole run, a host that lies', () => {
  const lie = { a2: 'clock=now' }
  test('fails, and the others are changed', async () => {
    using of = fleet('a1', 'a2', 'a3')
    of.machine('a2').at('read', async (exec) => {
      const answer = await exec()
      return { ...answer, stdout: Buffer.from(answer.stdout.toString().replace(/^clock=\d+/m, lie.a2)) }
    })
    const { code, outcomes } = await of.run(bookOf([playOf('p', [roleOf('web', [line('x', 'new')])])]))
    expect(code).toBe(1)
    expect(outcomes).toEqual({
      a1: { 'scratch x': 'changed' },
      a2: { read: 'failed: what it says of itself cannot be understood: its clock says "now", which is no number' },
      a3: { 'scratch x': 'changed' },
    })
  })

  test('after its change fails there, and the run ends with its report', async () => {
    using of = fleet('a1', 'a2')
    of.machine('a2').at('change', async (exec) => {
      const answer = await exec()
      return { ...answer, stdout: Buffer.from(answer.stdout.toString().replace(/^clock=\d+/m, lie.a2)) }
    })
    const { code, outcomes } = await of.run(bookOf([playOf('p', [roleOf('web', [line('x', 'new')])])]))
    expect(code).toBe(1)
    expect(outcomes.a1).toEqual({ 'scratch x': 'changed' })
    expect(outcomes.a2?.read).toContain('its clock says "now"')
  })

  test('in a gate’s question fails the gate, and the run ends with its report', async () => {
    using of = fleet('a1')
    const [host] = of.inventory.hosts
    if (!host) throw new Error('no host')
    const gate = of.gate(host, 'serves', () => {
      throw new TypeError('Invalid URL')
    })
    const web = roleOf('web', [line('x', 'new')], { healthy: () => [gate] })
    const { code, report } = await of.run(bookOf([playOf('p', [web])]))
    expect(code).toBe(1)
    expect(report?.gates).toMatchObject([{ host: 'a1', name: 'serves', pass: false, why: 'Invalid URL' }])
  })
})
