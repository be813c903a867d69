import { beforeEach, describe, expect, test } from 'vitest'
import type { Play } from '../../../lib/model.ts'
import { bookOf, type Fleet, fleet, no, playOf, roleOf } from './fleet.ts'
import { program } from './program.ts'
import { asItBegins, asItEnds } from './small-machine.ts'

/** Ctrl-C, once and twice. */
let stop: AbortController
let abandon: AbortController
beforeEach(() => {
  stop = new AbortController()
  abandon = new AbortController()
})
const once = () => stop.abort()
const twice = () => {
  stop.abort()
  abandon.abort()
}

/** Two hosts that serve, and a new config for them, one after the other. */
const serving = (): Fleet => {
  const of = fleet('a1', 'a2')
  for (const name of ['a1', 'a2']) {
    of.machine(name).write('conf', 'old')
    of.machine(name).write('loaded', 'old')
  }
  return of
}
interface Wish {
  /** The answer of the gate after a batch. */
  readonly healthy?: Parameters<Fleet['gate']>[2]
  readonly more?: Partial<Play>
  readonly confirm?: () => boolean
  readonly forks?: number
  /** There are more plays than one. */
  readonly others?: readonly Play[]
}
const roll = (of: Fleet, { healthy, more = {}, confirm, forks = 50, others = [] }: Wish = {}) => {
  const web = roleOf('web', program('new'), {
    healthy: (host) => [{ ...of.gate(host, 'healthy', healthy), within: '1h' }],
    serves: (host) => [of.gate(host, 'serves')],
  })
  const play = playOf('p', [web], { batch: 1, onGateFailure: 'take-back', ...more })
  return of.run(bookOf([play, ...others]), {
    stop: stop.signal,
    abandon: abandon.signal,
    forks,
    ...(confirm && { confirm }),
  })
}
const loaded = (of: Fleet) => ['a1', 'a2'].map((name) => of.machine(name).text('loaded'))
const SKIPPED = {
  'scratch conf': 'skipped: the run was interrupted',
  'program web': 'skipped: the run was interrupted',
}
const CHANGED = { 'scratch conf': 'changed', 'program web': 'changed' }

describe('a run that is interrupted', () => {
  test('while hosts are read reads no more of them, and changes nothing', async () => {
    using of = serving()
    of.machine('a1').at('connect', asItBegins(once))
    const { code, report, plan } = await roll(of)
    expect([of.machine('a2').logins(), of.story]).toEqual([0, ['read a1']])
    expect(plan.unreachable).toEqual({ a1: 'interrupted', a2: 'interrupted' })
    expect(report).toMatchObject({ interrupted: true, hosts: { a1: { connect: { why: 'interrupted' } } } })
    expect([code, loaded(of)]).toEqual([130, ['old', 'old']])
  })

  test('once all are read changes nothing', async () => {
    using of = serving()
    of.machine('a2').at('read', asItEnds(once))
    const { code, outcomes } = await roll(of, { forks: 1 })
    expect(of.story).toEqual(['read a1', 'read a2'])
    expect(outcomes).toEqual({ a1: SKIPPED, a2: SKIPPED })
    expect([code, loaded(of)]).toEqual([130, ['old', 'old']])
  })

  test('while it is asked to go ahead changes nothing, whatever is answered', async () => {
    using of = serving()
    const confirm = () => {
      once()
      return true
    }
    const { code, outcomes } = await roll(of, { confirm })
    expect(outcomes).toEqual({ a1: SKIPPED, a2: SKIPPED })
    expect([code, of.story]).toEqual([130, ['read a1', 'read a2']])
  })

  test('while gates before a batch are asked does not wait for them, and changes nothing', async () => {
    using of = serving()
    const before = () => [
      {
        ...of.gate(of.machine('a2').host, 'safe', () => {
          once()
          return { pass: false, why: 'not yet' }
        }),
        within: '1h' as const,
      },
    ]
    const { code, outcomes } = await roll(of, { more: { before } })
    expect(of.story.filter((one) => one.startsWith('ask'))).toEqual(['ask a2: safe'])
    expect(outcomes.a1).toMatchObject({ 'program web': 'skipped: before it: a2: safe: not yet' })
    expect([code, loaded(of)]).toEqual([130, ['old', 'old']])
  })

  test('while a host is changed ends that change, and starts no other', async () => {
    using of = serving()
    of.machine('a1').at('change', asItBegins(once))
    const { code, outcomes, report } = await roll(of)
    expect(of.story).toEqual(['read a1', 'read a2', 'change a1'])
    expect(outcomes).toEqual({ a1: CHANGED, a2: SKIPPED })
    expect(report?.stops).toEqual(['p: The run was interrupted. Not touched: a2.'])
    expect([code, loaded(of)]).toEqual([130, ['new', 'old']])
  })

  test('twice while a host is changed abandons it: nobody knows how far it got', async () => {
    using of = serving()
    of.machine('a1').at('change', asItBegins(twice))
    const { code, outcomes } = await roll(of)
    expect(outcomes.a1).toEqual({
      apply: 'failed: interrupted',
      'scratch conf': 'skipped: the host failed',
      'program web': 'skipped: the host failed',
    })
    expect(outcomes.a2).toEqual(SKIPPED)
    expect([code, loaded(of)]).toEqual([130, ['old', 'old']])
  })

  test('while gates after a batch are asked does not wait for them, and takes nothing back', async () => {
    using of = serving()
    const healthy = () => {
      once()
      return { pass: false, why: 'not yet' } as const
    }
    const { code, outcomes } = await roll(of, { healthy })
    expect(of.story.slice(2)).toEqual(['change a1', 'ask a1: healthy'])
    expect(outcomes).toEqual({ a1: CHANGED, a2: SKIPPED })
    expect([code, loaded(of)]).toEqual([130, ['new', 'old']])
  })

  test('after the last gate of a batch has said yes starts no other batch', async () => {
    using of = serving()
    const healthy = () => {
      once()
      return { pass: true } as const
    }
    const { code, outcomes } = await roll(of, { healthy })
    expect(of.story.slice(2)).toEqual(['change a1', 'ask a1: healthy'])
    expect([code, outcomes.a2]).toEqual([130, SKIPPED])
  })

  test('while a host is taken back ends that', async () => {
    using of = serving()
    of.machine('a1').at('take back', asItBegins(once))
    const { code, outcomes } = await roll(of, { healthy: no('it is slow') })
    expect(outcomes.a1?.['program web']).toBe('skipped: taken back: healthy: it is slow')
    expect([code, loaded(of)]).toEqual([130, ['old', 'old']])
  })

  test('twice while a host is taken back abandons that, and says so', async () => {
    using of = serving()
    of.machine('a1').at('take back', asItBegins(twice))
    const { code, outcomes } = await roll(of, { healthy: no('it is slow') })
    expect(outcomes.a1?.['take back']).toBe('failed: interrupted')
    expect([code, loaded(of)]).toEqual([130, ['new', 'old']])
  })

  test('between plays starts no other play', async () => {
    using of = serving()
    const other = roleOf('other', program('newer').slice(0, 0), { healthy: (host) => [of.gate(host, 'other')] })
    of.machine('a2').at('change', asItBegins(once))
    const { code, report } = await roll(of, { more: { batch: 2 }, others: [playOf('q', [other])] })
    expect(of.story.filter((one) => one.startsWith('ask'))).toEqual([])
    expect([code, report?.interrupted, loaded(of)]).toEqual([130, true, ['new', 'new']])
  })
})

describe('a run that is not confirmed', () => {
  test('has read every host, changes nothing, and has a plan but no report', async () => {
    using of = serving()
    const { report, plan, events } = await roll(of, { confirm: () => false })
    expect(of.story).toEqual(['read a1', 'read a2'])
    expect([report, plan.changes]).toEqual([null, 4])
    expect(events.map(({ event }) => event)).toEqual(['run-started', 'host-read', 'host-read', 'planned'])
    expect(['a1', 'a2'].map((name) => of.machine(name).links())).toEqual([0, 0])
  })

  test('is asked with the plan, and waits for the answer', async () => {
    using of = serving()
    const asked: unknown[] = []
    const { plan, report } = await of.run(bookOf([playOf('p', [roleOf('web', program('new'))])]), {
      confirm: async (one) => asked.push(one) < 0,
    })
    expect(asked).toEqual([plan])
    expect([report, loaded(of)]).toEqual([null, ['old', 'old']])
  })
})
