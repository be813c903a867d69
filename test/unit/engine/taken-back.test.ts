import { describe, expect, test } from 'vitest'
import { complaint } from '../../../lib/engine/take-back.ts'
import type { Play, Task } from '../../../lib/model.ts'
import { bobsLock } from './bobs-lock.ts'
import { bookOf, type Fleet, fleet, no, playOf, roleOf } from './fleet.ts'
import { program } from './program.ts'
import { line } from './scratch.ts'
import { asItBegins, cutInHalf, lostAfter, lostBefore, type SmallMachine } from './small-machine.ts'

/** A machine where `web` runs with an old config. */
const serving = (machine: SmallMachine): void => {
  machine.write('conf', 'old')
  machine.write('loaded', 'old')
}
const runs = (machine: SmallMachine) => [machine.text('conf'), machine.text('loaded')]
const OLD = ['old', 'old']
const NEW = ['new', 'new']

interface Wish {
  readonly tasks?: readonly Task[]
  /** Hosts whose `healthy` gate says no. */
  readonly sick?: readonly string[]
  /** What such a gate says of a host. */
  readonly complaint?: (host: string) => string
  /** Hosts whose `serves` gate says no. */
  readonly dead?: readonly string[]
  readonly more?: Partial<Play>
}
/** Rolls a new config over hosts that serve with an old one; what fails is taken back. */
const roll = (
  of: Fleet,
  { tasks = program('new'), sick = [], dead = [], more = {}, complaint = () => 'it is slow' }: Wish,
) => {
  const web = roleOf('web', tasks, {
    healthy: (host) => [of.gate(host, 'healthy', sick.includes(host.name) ? no(complaint(host.name)) : undefined)],
    serves: (host) => [of.gate(host, 'serves', dead.includes(host.name) ? no('it is down') : undefined)],
  })
  return of.run(bookOf([playOf('p', [web], { onGateFailure: 'take-back', ...more })]))
}
const afterReading = ({ story }: Fleet) => story.filter((one) => !one.startsWith('read'))

describe('a gate that says no', () => {
  test('takes its host back to what it ran before, asks whether it serves, and leaves the rest untouched', async () => {
    using of = fleet('a1', 'a2')
    for (const name of ['a1', 'a2']) serving(of.machine(name))
    const { code, outcomes, report, events } = await roll(of, { sick: ['a1'], more: { batch: 1 } })
    expect(afterReading(of)).toEqual(['change a1', 'ask a1: healthy', 'take back a1', 'ask a1: serves'])
    expect([runs(of.machine('a1')), runs(of.machine('a2'))]).toEqual([OLD, OLD])
    expect(outcomes).toEqual({
      a1: {
        'scratch conf': 'skipped: taken back: healthy: it is slow',
        'program web': 'skipped: taken back: healthy: it is slow',
      },
      a2: {
        'scratch conf': 'skipped: a gate failed after an earlier batch: a1: healthy: it is slow',
        'program web': 'skipped: a gate failed after an earlier batch: a1: healthy: it is slow',
      },
    })
    expect(report?.stops).toEqual([
      'p: a1: healthy: it is slow. a1 was taken back to what it ran before, and serves. Not touched: a2.',
    ])
    expect(events.filter(({ event }) => event === 'taken-back')).toMatchObject([
      { host: 'a1', play: 'p', because: 'healthy: it is slow', whole: true, said: 'starting with new' },
    ])
    expect(code).toBe(1)
  })

  test('takes back only its own host of the batch', async () => {
    using of = fleet('a1', 'a2')
    for (const name of ['a1', 'a2']) serving(of.machine(name))
    const { outcomes } = await roll(of, { sick: ['a2'] })
    expect(of.story.filter((one) => one.startsWith('take back'))).toEqual(['take back a2'])
    expect([runs(of.machine('a1')), runs(of.machine('a2'))]).toEqual([NEW, OLD])
    expect(outcomes.a1).toEqual({ 'scratch conf': 'changed', 'program web': 'changed' })
  })

  test('is told of each host with its own reason, and with how long it took', async () => {
    using of = fleet('a1', 'a2')
    for (const name of ['a1', 'a2']) serving(of.machine(name))
    const { outcomes, report, events } = await roll(of, { sick: ['a1', 'a2'], complaint: (host) => `${host} is slow` })
    expect(['a1', 'a2'].map((name) => outcomes[name]?.['program web'])).toEqual([
      'skipped: taken back: healthy: a1 is slow',
      'skipped: taken back: healthy: a2 is slow',
    ])
    for (const event of events) if (event.event === 'taken-back') expect(event.ms).toBeLessThanOrEqual(report?.ms ?? 0)
  })

  test('and is of a host outside of the batch takes all of the batch back', async () => {
    using of = fleet('a1', 'a2', 'b1')
    for (const name of ['a1', 'a2']) serving(of.machine(name))
    const { report } = await roll(of, {
      more: {
        hosts: ({ groups }) => groups.includes('a'),
        after: () => [of.gate(of.machine('b1').host, 'b1 is notified', no('nothing comes'))],
      },
    })
    expect([runs(of.machine('a1')), runs(of.machine('a2'))]).toEqual([OLD, OLD])
    expect(report?.stops).toEqual([
      'p: b1: b1 is notified: nothing comes. a1, a2 were taken back to what they ran before, and serve.',
    ])
    expect(report?.hosts.a2?.['program web']).toMatchObject({ because: 'taken back: b1 is notified: nothing comes' })
  })

  test('leaves a host as it is where the play does not say that it is taken back', async () => {
    using of = fleet('a1')
    serving(of.machine('a1'))
    const { outcomes } = await roll(of, { sick: ['a1'], more: { onGateFailure: 'leave' } })
    expect([runs(of.machine('a1')), outcomes.a1?.['program web']]).toEqual([NEW, 'changed'])
    expect(afterReading(of)).toEqual(['change a1', 'ask a1: healthy'])
  })

  test('leaves a first install as it is: there is nothing to go back to', async () => {
    using of = fleet('a1')
    const { outcomes, report } = await roll(of, { sick: ['a1'] })
    expect([runs(of.machine('a1')), outcomes.a1?.['program web']]).toEqual([NEW, 'changed'])
    expect(of.story).not.toContain('take back a1')
    expect(report?.stops).toEqual(['p: a1: healthy: it is slow.'])
  })

  test('a host that was taken back is left alone by later plays', async () => {
    using of = fleet('a1')
    serving(of.machine('a1'))
    const web = roleOf('web', program('new'), { healthy: (host) => [of.gate(host, 'healthy', no('it is slow'))] })
    const { outcomes } = await of.run(
      bookOf([playOf('p', [web], { onGateFailure: 'take-back' }), playOf('q', [roleOf('other', [line('y', 'new')])])]),
    )
    expect(outcomes.a1?.['scratch y']).toBe('skipped: the host failed earlier in this run')
  })

  test('counts once for each host that is taken back', async () => {
    using of = fleet('a1', 'a2', 'a3', 'a4')
    for (const name of ['a1', 'a2', 'a3', 'a4']) serving(of.machine(name))
    await roll(of, { sick: ['a1', 'a3', 'a4'], more: { batch: 1, maxFail: 1 } })
    expect(of.story.filter((one) => one.startsWith('change'))).toEqual(['change a1', 'change a2', 'change a3'])
    using lenient = fleet('a1', 'a2', 'a3')
    for (const name of ['a1', 'a2', 'a3']) serving(lenient.machine(name))
    await roll(lenient, { sick: ['a1'], more: { batch: 2, maxFail: 1 } })
    expect(runs(lenient.machine('a3'))).toEqual(NEW)
  })

  test('says so where a host that was taken back does not serve', async () => {
    using of = fleet('a1')
    serving(of.machine('a1'))
    const { report } = await roll(of, { sick: ['a1'], dead: ['a1'] })
    expect(report?.stops).toEqual([
      'p: a1: healthy: it is slow. a1 was taken back, and does not serve yet: a1: serves: it is down.',
    ])
    expect(report?.gates.map(({ name, pass }) => [name, pass])).toEqual([
      ['healthy', false],
      ['serves', false],
    ])
  })

  test('and several that do not serve are spoken of as several', async () => {
    using of = fleet('a1', 'a2')
    for (const name of ['a1', 'a2']) serving(of.machine(name))
    const { report } = await roll(of, { sick: ['a1', 'a2'], dead: ['a2'] })
    expect(report?.stops?.[0]).toContain('a1, a2 were taken back, and do not serve yet: a2: serves: it is down.')
  })
})

describe('taking back', () => {
  const serves = line('b', 'new', { interrupts: true })

  test('goes backwards, and brings back what served once every file is as it was', async () => {
    using of = fleet('a1')
    const machine = of.machine('a1')
    machine.write('a', 'old')
    const { events } = await roll(of, { tasks: [line('a', 'new'), serves, line('c', 'new')], sick: ['a1'] })
    expect(
      events.flatMap((event) => (event.event === 'step' && event.state === 'taken back' ? [event.task] : [])),
    ).toEqual(['scratch c', 'scratch b', 'scratch a', 'scratch a', 'scratch b', 'scratch c'])
    expect(['a', 'b', 'c', 'a.restored', 'b.restored'].map(machine.text)).toEqual([
      'old',
      undefined,
      undefined,
      'restored\n',
      'restored\n',
    ])
  })

  test('that fails for one change says so of that change, and takes the others back', async () => {
    using of = fleet('a1')
    of.machine('a1').write('a', 'old')
    const { code, outcomes, events } = await roll(of, {
      tasks: [line('a', 'new'), line('b', 'new', { undoFails: true })],
      sick: ['a1'],
    })
    expect(outcomes.a1).toEqual({
      'scratch a': 'skipped: taken back: healthy: it is slow',
      'scratch b': 'failed: could not be taken back: healthy: it is slow',
    })
    expect(of.machine('a1').text('a')).toBe('old')
    expect(events.filter(({ event }) => event === 'taken-back')).toMatchObject([{ whole: false }])
    expect(code).toBe(1)
  })

  test('leaves no way back of the change on the host, as it has been gone', async () => {
    using of = fleet('a1')
    serving(of.machine('a1'))
    await roll(of, { sick: ['a1'] })
    expect(of.machine('a1').text('/var/lib/vestal/undo/run-1.1.sh')).toBeUndefined()
    await roll(of, {})
    expect(of.machine('a1').text('/var/lib/vestal/undo/run-2.1.sh')).toMatch(/starting with/)
  })

  test.each([
    ['is lost before it begins', lostBefore, NEW, 'the link was lost'],
    ['is lost after it has ended', lostAfter, OLD, 'the link was lost'],
    ['is cut meanwhile', cutInHalf, OLD, /the script ended before its end/],
  ])('and the link %s: the host is told as failed, with what to do', async (_, fate, left, why) => {
    using of = fleet('a1', 'a2')
    for (const name of ['a1', 'a2']) serving(of.machine(name))
    of.machine('a1').at('take back', fate)
    const { code, report, events } = await roll(of, { sick: ['a1'], more: { batch: 1 } })
    expect(runs(of.machine('a1'))).toEqual(left)
    expect(report?.hosts.a1?.['take back']).toMatchObject({ status: 'failed', why: expect.stringMatching(why) })
    const failed = report?.hosts.a1?.['take back']
    expect(failed?.status === 'failed' && failed.ms <= (report?.ms ?? 0)).toBe(true)
    expect(report?.hosts.a1?.['take back']).toHaveProperty('hint', expect.stringMatching(/cable|Run again/))
    expect(events.filter(({ event }) => event === 'host-failed')).toMatchObject([{ host: 'a1', task: 'take back' }])
    expect([of.story.includes('change a2'), code]).toEqual([false, 1])
  })
})

test('a host that another run has locked meanwhile is not taken back, and who holds it is told', async () => {
  using of = fleet('a1')
  const machine = of.machine('a1')
  serving(machine)
  machine.at(
    'take back',
    asItBegins(() => machine.write('/run/vestal/lock', bobsLock())),
  )
  const { report } = await roll(of, { sick: ['a1'] })
  expect(runs(machine)).toEqual(NEW)
  expect(report?.hosts.a1?.lock).toMatchObject({
    status: 'failed',
    why: 'locked by bob@lap since 2026-01-01T00:00:00Z (run run-of-bob)',
  })
})

test.each([
  ['the last error', 'error: no such flag\nerror: no such file\nbye\n', 'error: no such file'],
  ['the last line, where none speaks of an error', 'hello\nbye\n\n', 'bye'],
  [
    'no line of systemd’s own',
    'error: no such file\nweb.service: Failed with result exit-code.\nFailed to start web.\n',
    'error: no such file',
  ],
  ['nothing, where nothing was said', '', ''],
])('of what a program has said, %s is told', (_, said, told) => {
  expect(complaint(said)).toBe(told)
})

describe('a step that fails', () => {
  test('has its host taken back in the same script, and asked whether it serves', async () => {
    using of = fleet('a1', 'a2')
    for (const name of ['a1', 'a2']) serving(of.machine(name))
    const { outcomes, report } = await roll(of, { tasks: program('refused'), more: { batch: 1 } })
    expect(afterReading(of)).toEqual(['change a1', 'ask a1: serves'])
    expect([runs(of.machine('a1')), runs(of.machine('a2'))]).toEqual([OLD, OLD])
    expect(outcomes.a1).toEqual({
      'scratch conf': 'skipped: taken back after a later task failed',
      'program web': 'failed: error: conf is refused',
    })
    expect(report?.hosts.a1?.['program web']).toMatchObject({
      hint: 'The changes made before it on this host were taken back; what was in force still is.',
    })
    expect(report?.stops).toEqual([
      'p: a1: program web: error: conf is refused. a1 was taken back to what it ran before, and serves. Not touched: a2.',
    ])
  })

  test('is not asked about further where the play takes nothing back', async () => {
    using of = fleet('a1')
    serving(of.machine('a1'))
    const { report } = await roll(of, { tasks: program('refused'), more: { onGateFailure: 'leave' } })
    expect(afterReading(of)).toEqual(['change a1'])
    expect(report?.stops).toEqual(['p: a1: program web: error: conf is refused.'])
  })
})

describe('a change that comes out otherwise than it should', () => {
  test('is taken back, and what its program said last is told', async () => {
    using of = fleet('a1')
    serving(of.machine('a1'))
    const tasks = [...program('new'), line('z', 'new', { lies: true, quiet: true })]
    const { outcomes, report } = await roll(of, { tasks })
    expect(afterReading(of)).toEqual(['change a1', 'take back a1', 'ask a1: serves'])
    expect(runs(of.machine('a1'))).toEqual(OLD)
    expect(outcomes.a1?.['program web']).toBe('skipped: taken back: scratch z: read back after the change: is missing')
    expect(report?.stops?.[0]).toContain('It said last: starting with new. a1 was taken back to what it ran before')
  })

  test('of a program that has said nothing leaves its words out', async () => {
    using of = fleet('a1')
    const { report } = await roll(of, { tasks: [line('x', 'new'), line('z', 'new', { lies: true, quiet: true })] })
    expect(report?.stops).toEqual([
      'p: a1: scratch z: read back after the change: is missing. a1 was taken back to what it ran before, and serves.',
    ])
  })

  test('stays where the play takes nothing back', async () => {
    using of = fleet('a1')
    serving(of.machine('a1'))
    const tasks = [...program('new'), line('z', 'new', { lies: true, quiet: true })]
    await roll(of, { tasks, more: { onGateFailure: 'leave' } })
    expect([runs(of.machine('a1')), of.story.includes('take back a1')]).toEqual([NEW, false])
  })

  test('beside a host whose link was lost: of that one nothing is known, and it is not taken back', async () => {
    using of = fleet('a1', 'a2')
    for (const name of ['a1', 'a2']) serving(of.machine(name))
    of.machine('a1').at('change', lostAfter)
    const { outcomes } = await roll(of, { sick: ['a2'] })
    expect(of.story.filter((one) => /take back|serves/.test(one))).toEqual(['take back a2', 'ask a2: serves'])
    expect([runs(of.machine('a1')), runs(of.machine('a2'))]).toEqual([NEW, OLD])
    expect(outcomes.a1).toMatchObject({ apply: 'failed: the link was lost', 'program web': 'skipped: the host failed' })
  })
})
