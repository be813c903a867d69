import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { emitter, type RunEvent } from '../../../lib/engine/events.ts'
import { bobsLock } from './bobs-lock.ts'
import { bookOf, type Fleet, fleet, no, playOf, roleOf } from './fleet.ts'
import { line } from './scratch.ts'
import { asItBegins } from './small-machine.ts'

/** Another run takes a host's lock, with that process for the script that works there. */
const lockedByBob = (of: Fleet, name: string, script?: number): void =>
  of.machine(name).write('/run/vestal/lock', bobsLock(script))
const deploy = (of: Fleet, options?: Parameters<Fleet['run']>[1]) =>
  of.run(bookOf([playOf('p', [roleOf('web', [line('x', 'new', { interrupts: true })])], { batch: 1 })]), options)

describe('a host that another run has locked since it was read', () => {
  test('is not touched; who holds it, and what to do, is told, and the play ends', async () => {
    using of = fleet('a1', 'a2')
    of.machine('a1').at(
      'change',
      asItBegins(() => lockedByBob(of, 'a1')),
    )
    const { report, code } = await deploy(of)
    expect(report?.hosts.a1?.lock).toMatchObject({
      status: 'failed',
      why: 'locked by bob@lap since 2026-01-01T00:00:00Z (run run-of-bob)',
      hint: 'Wait for that run to end, or take the lock with --break-lock a1.',
    })
    expect(report?.hosts.a1?.['scratch x']).toMatchObject({ status: 'skipped', because: 'the host failed' })
    expect(of.story).not.toContain('change a2')
    expect([of.machine('a1').text('x'), code]).toEqual([undefined, 1])
  })

  test('is changed all the same where its lock is to be broken, and only then', async () => {
    using of = fleet('a1', 'a2')
    for (const name of ['a1', 'a2']) {
      of.machine(name).at(
        'change',
        asItBegins(() => lockedByBob(of, name)),
      )
    }
    const { outcomes } = await deploy(of, { breakLock: ['a1'] })
    expect(outcomes.a1).toEqual({ 'scratch x': 'changed' })
    expect(outcomes.a2?.lock).toMatch(/locked by bob@lap/)
  })
})

describe('a host on which another run’s script is at work when it is to be read', () => {
  test('is waited for, and is a failure when that does not end; the others are changed', async () => {
    using of = fleet('a1', 'a2')
    lockedByBob(of, 'a1', process.pid)
    const { events, report, outcomes, code } = await deploy(of)
    expect(events.filter(({ event }) => event === 'host-locked')).toMatchObject([
      { host: 'a1', lock: { run: 'run-of-bob', owner: 'bob@lap', since: '2026-01-01T00:00:00Z' } },
    ])
    expect(report?.hosts.a1).toMatchObject({
      lock: { status: 'failed', why: 'locked by bob@lap since 2026-01-01T00:00:00Z (run run-of-bob)' },
    })
    expect([outcomes.a2, code]).toEqual([{ 'scratch x': 'changed' }, 1])
  })

  test('is read where its lock is to be broken, once that script, and what it had started, was ended', async () => {
    using of = fleet('a1')
    of.machine('a1').sleeps()
    const script = spawn('sh', ['-c', 'trap "" TERM; sleep 600; echo went on'], { stdio: ['ignore', 'pipe', 'ignore'] })
    await once(script, 'spawn')
    lockedByBob(of, 'a1', script.pid)
    const ended = once(script, 'close')
    const said = text(script.stdout)
    const { outcomes, events } = await deploy(of, { breakLock: ['a1'] })
    expect(events.some(({ event }) => event === 'host-locked')).toBe(false)
    expect(outcomes.a1).toEqual({ 'scratch x': 'changed' })
    expect((await ended)[1]).toBe('SIGKILL')
    expect(await said).toBe('')
  })

  test('is not planned for when that does not end, and the plan says why', async () => {
    using of = fleet('a1')
    lockedByBob(of, 'a1', process.pid)
    const { plan } = await deploy(of, { confirm: () => false })
    expect(plan.unreachable).toEqual({ a1: 'locked by bob@lap since 2026-01-01T00:00:00Z (run run-of-bob)' })
  })

  test.each([
    { what: 'a deploy', confirm: () => true },
    { what: 'a plan', confirm: () => false },
  ])('is read once, by $what, when that has ended, though nothing is left to change then', async ({ confirm }) => {
    using of = fleet('a1')
    of.machine('a1').sleeps()
    const script = spawn('sleep', ['600'])
    try {
      await once(script, 'spawn')
      lockedByBob(of, 'a1', script.pid)
      const told: RunEvent[] = []
      const emit = emitter(String, (event) => {
        if (event.event !== 'host-locked') return
        told.push(event)
        of.machine('a1').write('x', 'new')
        script.kill('SIGKILL')
      })
      const { plan } = await deploy(of, { confirm, emit })
      expect(told).toHaveLength(1)
      expect(plan).toMatchObject({ changes: 0, unreachable: {} })
      expect(of.story).toEqual(['read a1'])
    } finally {
      script.kill('SIGKILL')
    }
  })

  test('holds nobody up who presses Ctrl-C', async () => {
    using of = fleet('a1')
    of.machine('a1').sleeps()
    lockedByBob(of, 'a1', process.pid)
    const stop = new AbortController()
    const emit = emitter(String, ({ event }) => event === 'host-locked' && stop.abort())
    const { report, code } = await deploy(of, { stop: stop.signal, emit })
    expect(report?.hosts.a1).toMatchObject({ connect: { status: 'failed', why: 'interrupted' } })
    expect(code).toBe(130)
  })
})

describe('the lock of a run', () => {
  test('names who holds it, since when and in which run', async () => {
    using of = fleet('a1')
    let lock: string | undefined
    const role = roleOf('web', [line('x', 'new')], {
      healthy: (host) => [
        of.gate(host, 'healthy', () => {
          lock = of.machine('a1').text('/run/vestal/lock')
          return { pass: true }
        }),
      ],
    })
    await of.run(bookOf([playOf('p', [role])]))
    expect(lock).toMatch(
      /^run=run-1\ncommand=command-1\nowner=ann@desk\nsince=\d{4}-.*Z\nsession=\d+ \d+\nscript=\d+ \d+\n$/,
    )
  })

  test('is taken only on hosts that are changed', async () => {
    using of = fleet('a1')
    of.machine('a1').write('x', 'new')
    await deploy(of)
    expect(of.story).toEqual(['read a1'])
  })
})

describe('a lock of a run that has ended, while its command’s session stays', () => {
  const role = (text: string) => bookOf([playOf('p', [roleOf('web', [line('x', text)])])])
  /** As a command has it: each host is logged in to once, whatever number of runs. */
  const oneLogin = async (of: Fleet, name: string) => {
    const link = await of.machine(name).connect(of.machine(name).host)
    return async () => ({ ...link, [Symbol.asyncDispose]: async () => undefined })
  }

  test('is taken over by the next run of that command, which is then who holds it', async () => {
    using of = fleet('a1')
    const connect = await oneLogin(of, 'a1')
    await of.run(role('one'), { connect, command: 'the command' })
    const { outcomes } = await of.run(role('two'), { connect, command: 'the command' })
    expect([outcomes.a1, of.machine('a1').text('x')]).toEqual([{ 'scratch x': 'changed' }, 'two'])
    expect(of.machine('a1').text('/run/vestal/lock')).toMatch(/^run=run-2\n/)
  })

  test('keeps another command out', async () => {
    using of = fleet('a1')
    const connect = await oneLogin(of, 'a1')
    await of.run(role('one'), { connect, command: 'the command' })
    const { outcomes } = await of.run(role('two'), { command: 'another' })
    expect([outcomes.a1?.lock, of.machine('a1').text('x')]).toEqual([
      expect.stringMatching(/locked by ann@desk .*run run-1/),
      'one',
    ])
  })

  test('is not taken over while its script is still at work', async () => {
    using of = fleet('a1')
    of.machine('a1').at(
      'change',
      asItBegins(() => of.machine('a1').write('/run/vestal/lock', `${bobsLock(process.pid)}command=the command\n`)),
    )
    const { outcomes } = await of.run(role('one'), { command: 'the command' })
    expect(outcomes.a1?.lock).toMatch(/locked by bob@lap/)
  })
})

describe('signs of life', () => {
  afterEach(() => void vi.useRealTimers())

  test('go each minute to the hosts that this run has locked, and to no other, and end with the run', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    using of = fleet('a1', 'a2', 'a3')
    const touched = () => of.story.filter((one) => one.startsWith('sign of life'))
    const heard: unknown[] = []
    const role = roleOf('web', [line('x', 'new', { interrupts: true })], {
      healthy: (host) => [
        of.gate(host, 'healthy', () => {
          vi.advanceTimersByTime(60_000)
          heard.push(vi.getTimerCount())
          return { pass: true }
        }),
      ],
    })
    await of.run(bookOf([playOf('p', [role], { batch: 1, hosts: ({ name }) => name !== 'a3' })]))
    expect(touched()).toEqual(['sign of life a1', 'sign of life a1', 'sign of life a2'])
    expect([heard, vi.getTimerCount()]).toEqual([[1, 1], 0])
  })

  test('that do not arrive end nothing, and stop with a run that fails', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    using of = fleet('a1')
    of.machine('a1').at('sign of life', () => Promise.reject(new Error('the link was lost')))
    const role = roleOf('web', [line('x', 'new')], {
      healthy: (host) => [
        of.gate(host, 'healthy', () => {
          vi.advanceTimersByTime(60_000)
          return no('it is slow')
        }),
      ],
    })
    const { code } = await of.run(bookOf([playOf('p', [role])]))
    expect([code, of.story.includes('sign of life a1'), vi.getTimerCount()]).toEqual([1, true, 0])
  })
})
