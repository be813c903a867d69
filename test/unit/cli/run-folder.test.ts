import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { isAtTerminal, yes } from '../../../cli/confirm.ts'
import { toExitCode } from '../../../cli/failure.ts'
import { keepRun } from '../../../cli/run-folder.ts'
import { InputError } from '../../../lib/errors.ts'
import { stopOnSignals } from '../../../lib/signals.ts'

let runs = ''
beforeEach(() => {
  runs = mkdtempSync(join(tmpdir(), 'vestal-runs-'))
  vi.stubEnv('VESTAL_RUNS', runs)
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  rmSync(runs, { recursive: true })
})
const opened = (stop: { now(): void }, heard: string[] = []) =>
  keepRun({
    run: 'r1',
    about: { owner: 'ann@desk', command: ['deploy'] },
    redact: (text) => text.replaceAll('hunter2', '[secret]'),
    stop,
    listen: (event) => void heard.push(JSON.stringify(event)),
  })
const begun = { event: 'batch-started', play: 'p', hosts: ['a'], interrupts: false } as const
/** What comes to standard error, and the exit code. */
const ended = async (work: () => Promise<number>, json = false): Promise<{ code: number; said: string }> => {
  let said = ''
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += text
    return true
  })
  const code = await toExitCode(work, json)
  spy.mockRestore()
  return { code, said }
}

describe('a run that cannot be written down', () => {
  test('as the disk is full half way, is stopped, told on, and failed', async () => {
    using stop = stopOnSignals(() => {})
    const heard: string[] = []
    const kept = opened(stop, heard)
    kept.emit(begun)
    rmSync(join(runs, 'r1/events.ndjson'))
    symlinkSync('/dev/full', join(runs, 'r1/events.ndjson'))
    kept.emit({ event: 'host-failed', host: 'a', task: 't', why: 'said hunter2' })
    kept.note({ what: 'sent' })
    expect(stop.stop.aborted).toBe(true)
    expect(heard.at(-1)).toContain('"said [secret]"')
    const { code, said } = await ended(async () => {
      kept.requireKept()
      return 0
    })
    expect(code).toBe(1)
    expect(said).toMatch(/^this machine: keep the run: the run cannot be written down in .*: ENOSPC/)
    expect(said).toContain('Make room there')
  })

  test('from the beginning does not begin', () => {
    writeFileSync(join(runs, 'r1'), 'in the way')
    expect(() => opened({ now: () => {} })).toThrow('the run cannot be written down')
  })

  test('in one file only goes to its end in the others', () => {
    mkdirSync(join(runs, 'r1/notifications.ndjson'), { recursive: true })
    const kept = opened({ now: () => {} })
    kept.note({ what: 'sent' })
    kept.emit(begun)
    expect(readFileSync(join(runs, 'r1/events.ndjson'), 'utf8')).toContain('batch-started')
    expect(kept.requireKept).toThrow('the run cannot be written down')
  })
})

test('a mistake that comes to light after machines were changed does not say that none was touched', async () => {
  const mistake = new InputError([{ where: 'am.yml:1:1', what: 'is wrong' }])
  const kept = opened({ now: () => {} })
  const fails = () => ended(async () => kept.fail(mistake))
  expect(await fails()).toEqual({ code: 2, said: 'am.yml:1:1: is wrong\n1 mistake; no machine was touched.\n' })
  kept.emit(begun)
  expect(await fails()).toEqual({
    code: 1,
    said: 'am.yml:1:1: is wrong\n1 mistake; found after machines had been changed; vestal audit lists the run.\n',
  })
  const { said } = await ended(async () => kept.fail(mistake), true)
  expect(JSON.parse(said)).toEqual({ error: 'input', mistakes: mistake.mistakes, late: true })
})

test('what an error says is shown, and not obeyed', async () => {
  const { said } = await ended(async () => {
    throw new InputError([{ where: '\x1b]0;x\x07', what: 'a\u202eb' }])
  })
  expect(said).toMatch(/^\\u001b\]0;x\\u0007: a\\u202eb\n/)
})

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s asks for a clean stop, and once more abandons', (signal) => {
  const told = vi.fn()
  using stop = stopOnSignals(told)
  process.emit(signal)
  expect([stop.stop.aborted, stop.abandon.aborted, told.mock.calls.length]).toEqual([true, false, 1])
  process.emit(signal)
  expect(stop.abandon.aborted).toBe(true)
})

describe('a question', () => {
  const terminals = (stdin: boolean, stdout: boolean): void => {
    for (const [stream, is] of [
      [process.stdin, stdin],
      [process.stdout, stdout],
    ] as const)
      Object.defineProperty(stream, 'isTTY', { value: is, configurable: true })
  }
  const before = [process.stdin.isTTY, process.stdout.isTTY] as const
  afterEach(() => terminals(...before))

  test.each([
    [true, false, 'the output is no terminal'],
    [false, true, 'the input is no terminal'],
  ])('that cannot be seen or answered is no (input a terminal: %j, output: %j)', async (stdin, stdout, why) => {
    terminals(stdin, stdout)
    expect(isAtTerminal()).toBe(true)
    let said = ''
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      said += text
      return true
    })
    expect(await yes('Go ahead?')).toBe(false)
    expect(said).toContain(why)
  })

  test('is not asked of a program', () => {
    terminals(false, false)
    expect(isAtTerminal()).toBe(false)
  })
})
