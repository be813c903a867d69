import { describe, expect, test } from 'vitest'
import { HostError } from '../../../lib/errors.ts'
import type { PlayScope } from '../../../lib/model.ts'
import { bookOf, type Fleet, fleet, no, playOf, roleOf } from './fleet.ts'
import { line } from './scratch.ts'

const web = roleOf('web', [line('x', 'new', { interrupts: true })])
const names = ({ batch, hosts }: PlayScope) => [batch.map(({ name }) => name), hosts.map(({ name }) => name)]
/** Gates of these hosts as a play has them. */
const gates =
  (of: Fleet, name: string, answers: Readonly<Record<string, ReturnType<typeof no>>> = {}) =>
  ({ batch }: PlayScope) =>
    batch.map((host) => of.gate(host, name, answers[host.name]))

describe('a gate before a batch', () => {
  test('that says no leaves the batch and all after it untouched, and says so of each', async () => {
    using of = fleet('a1', 'a2', 'a3')
    const { code, outcomes, report } = await of.run(
      bookOf([playOf('p', [web], { batch: 1, before: gates(of, 'others serve', { a2: no('a1 is down') }) })]),
    )
    expect(of.story).toEqual([
      'read a1',
      'read a2',
      'read a3',
      'ask a1: others serve',
      'change a1',
      'ask a2: others serve',
    ])
    expect(outcomes).toEqual({
      a1: { 'scratch x': 'changed' },
      a2: { 'scratch x': 'skipped: before it: a2: others serve: a1 is down' },
      a3: { 'scratch x': 'skipped: an earlier batch did not start: a2: others serve: a1 is down' },
    })
    expect(report?.stops).toEqual(['p: a2 did not start: a2: others serve: a1 is down. Not touched: a3.'])
    expect(report?.gates).toMatchObject([
      { host: 'a1', name: 'others serve', play: 'p', pass: true },
      { host: 'a2', name: 'others serve', play: 'p', pass: false, why: 'a1 is down' },
    ])
    expect(code).toBe(1)
  })

  test('ends the play even where some hosts may fail: nothing tells that the next batch is safer', async () => {
    using of = fleet('a1', 'a2')
    const { outcomes } = await of.run(
      bookOf([playOf('p', [web], { batch: 1, maxFail: 5, before: gates(of, 'safe', { a1: no('no') }) })]),
    )
    expect(of.story).not.toContain('change a2')
    expect(outcomes.a2?.['scratch x']).toMatch('skipped: an earlier batch did not start')
  })

  test('is not asked where nothing is interrupted', async () => {
    using of = fleet('a1')
    const { code } = await of.run(
      bookOf([playOf('p', [roleOf('web', [line('x', 'new')])], { before: gates(of, 'safe', { a1: no('no') }) })]),
    )
    expect([of.story, code]).toEqual([['read a1', 'change a1'], 0])
  })

  test('knows the hosts of its batch, and all of the play, also those with nothing to do', async () => {
    using of = fleet('a1', 'a2', 'a3')
    of.machine('a2').write('x', 'new')
    const asked: unknown[] = []
    const scope = (one: PlayScope) => {
      asked.push(names(one))
      return []
    }
    await of.run(bookOf([playOf('p', [web], { before: scope, after: scope })]))
    const once = [
      ['a1', 'a3'],
      ['a1', 'a2', 'a3'],
    ]
    expect(asked).toEqual([once, once])
  })
})

describe('what a play keeps', () => {
  const kept = (keep: NonNullable<Parameters<typeof playOf>[2]>['keep']) => ({ batch: 1, keep })

  test('is kept once the gates have said yes, before the batch, and told under the host’s name', async () => {
    using of = fleet('a1', 'a2')
    const { events } = await of.run(
      bookOf([
        playOf('p', [web], {
          before: gates(of, 'safe'),
          ...kept(async ({ batch }, { run, store }) => {
            for (const host of batch) {
              of.story.push(`keep ${host.name}`)
              store(host, 'silences.json', `of ${run}`)
            }
          }),
        }),
      ]),
    )
    expect(of.story.slice(2, 5)).toEqual(['ask a1: safe', 'keep a1', 'change a1'])
    expect(events.filter(({ event }) => event === 'kept')).toMatchObject([
      { host: 'a1', name: 'silences.json', text: 'of run-1' },
      { host: 'a2', name: 'silences.json', text: 'of run-1' },
    ])
  })

  test('and cannot be kept is that host’s failure: nothing is interrupted, and later plays leave it alone', async () => {
    using of = fleet('a1', 'a2')
    const { outcomes, report, code } = await of.run(
      bookOf([
        playOf(
          'p',
          [web],
          kept(async () => {
            throw new HostError('a1', 'its disk is full', { hint: 'Make room.' })
          }),
        ),
        playOf('later', [roleOf('other', [line('y', 'new')])], { hosts: ({ name }) => name === 'a1' }),
      ]),
    )
    expect(of.story).toEqual(['read a1', 'read a2'])
    expect(outcomes.a1).toEqual({
      keep: 'failed: its disk is full',
      'scratch y': 'skipped: the host failed earlier in this run',
      'scratch x': 'skipped: before it: a1: its disk is full',
    })
    expect(report?.hosts.a1?.keep).toMatchObject({ hint: 'Make room.' })
    expect(outcomes.a2?.['scratch x']).toBe('skipped: an earlier batch did not start: a1: its disk is full')
    expect(code).toBe(1)
  })

  test('and cannot be kept because of a host outside of the batch ends the run', async () => {
    using of = fleet('a1')
    const elsewhere = new HostError('z9', 'it is down')
    await expect(
      of.run(
        bookOf([
          playOf(
            'p',
            [web],
            kept(() => Promise.reject(elsewhere)),
          ),
        ]),
      ),
    ).rejects.toBe(elsewhere)
    expect(of.machine('a1').text('x')).toBeUndefined()
  })

  test('is not asked for once a gate has said no', async () => {
    using of = fleet('a1')
    await of.run(
      bookOf([
        playOf('p', [web], {
          before: gates(of, 'safe', { a1: no('no') }),
          ...kept(async () => void of.story.push('keep')),
        }),
      ]),
    )
    expect(of.story).toEqual(['read a1', 'ask a1: safe'])
  })

  test('a bug in it is no host’s failure', async () => {
    using of = fleet('a1')
    const bug = new RangeError('a bug')
    await expect(
      of.run(
        bookOf([
          playOf(
            'p',
            [web],
            kept(() => Promise.reject(bug)),
          ),
        ]),
      ),
    ).rejects.toBe(bug)
  })
})

describe('gates after a batch', () => {
  test('are those of its hosts’ roles and of the play; the next batch waits for them', async () => {
    using of = fleet('a1', 'a2')
    const role = roleOf('web', [line('x', 'new', { interrupts: true })], {
      healthy: (host) => [of.gate(host, 'healthy')],
    })
    const { code, report } = await of.run(bookOf([playOf('p', [role], { batch: 1, after: gates(of, 'scraped') })]))
    expect(of.story.slice(2)).toEqual([
      'change a1',
      'ask a1: healthy',
      'ask a1: scraped',
      'change a2',
      'ask a2: healthy',
      'ask a2: scraped',
    ])
    expect(report?.gates).toHaveLength(4)
    expect(code).toBe(0)
  })

  test('that say no end the play, and the host is left as it is unless the play says otherwise', async () => {
    using of = fleet('a1', 'a2')
    const { code, outcomes, report } = await of.run(
      bookOf([playOf('p', [web], { batch: 1, after: gates(of, 'scraped', { a1: no('not yet') }) })]),
    )
    expect(of.story).toEqual(['read a1', 'read a2', 'change a1', 'ask a1: scraped'])
    expect(outcomes).toEqual({
      a1: { 'scratch x': 'changed' },
      a2: { 'scratch x': 'skipped: a gate failed after an earlier batch: a1: scraped: not yet' },
    })
    expect(report?.stops).toEqual(['p: a1: scraped: not yet. Not touched: a2.'])
    expect([of.machine('a1').text('x'), code]).toEqual(['new', 1])
  })

  test('count as failures of the batch’s hosts', async () => {
    using of = fleet('a1', 'a2', 'a3', 'a4')
    const after = gates(of, 'scraped', { a1: no('not yet'), a3: no('not yet') })
    await of.run(bookOf([playOf('p', [web], { batch: 2, maxFail: 2, after })]))
    expect(of.story).toContain('change a3')
    using strict = fleet('a1', 'a2', 'a3')
    const said = gates(strict, 'scraped', { a1: no('not yet') })
    await strict.run(bookOf([playOf('p', [web], { batch: 2, maxFail: 1, after: said })]))
    expect(strict.story).not.toContain('change a3')
  })

  test('of a role are not asked of a host that failed', async () => {
    using of = fleet('a1', 'a2')
    const role = roleOf('web', ({ name }) => [line('x', 'new', { fail: name === 'a1' })], {
      healthy: (host) => [of.gate(host, 'healthy')],
    })
    await of.run(bookOf([playOf('p', [role])]))
    expect(of.story.filter((one) => one.startsWith('ask'))).toEqual(['ask a2: healthy'])
  })
})

describe('hosts that have nothing to do', () => {
  const role = (of: Fleet, answers: Readonly<Record<string, ReturnType<typeof no>>> = {}) =>
    roleOf('web', [line('x', 'new', { interrupts: true })], {
      healthy: (host) => [of.gate(host, 'healthy', answers[host.name])],
    })

  test('are asked whether they serve after the others were changed', async () => {
    using of = fleet('a1', 'a2')
    of.machine('a1').write('x', 'new')
    await of.run(bookOf([playOf('p', [role(of)])]))
    expect(of.story.slice(2)).toEqual(['change a2', 'ask a2: healthy', 'ask a1: healthy'])
  })

  test('are not asked once they have failed in an earlier play', async () => {
    using of = fleet('a1', 'a2')
    for (const name of ['a1', 'a2']) of.machine(name).write('x', 'new')
    const failing = roleOf('other', ({ name }) => [line('y', 'new', { fail: name === 'a1' })])
    await of.run(bookOf([playOf('p', [failing]), playOf('q', [role(of)])]))
    expect(of.story.filter((one) => one.startsWith('ask'))).toEqual(['ask a2: healthy'])
  })

  test('and do not serve make the run a failure', async () => {
    using of = fleet('a1')
    of.machine('a1').write('x', 'new')
    const { code, report, outcomes } = await of.run(bookOf([playOf('p', [role(of, { a1: no('it is down') })])]))
    expect(outcomes).toEqual({ a1: { 'scratch x': 'same' } })
    expect(report?.stops).toEqual(['p: a1: healthy: it is down.'])
    expect(code).toBe(1)
  })

  test('end a run that stops at a failure, before the next play', async () => {
    using of = fleet('a1')
    of.machine('a1').write('x', 'new')
    const { outcomes, code } = await of.run(
      bookOf([playOf('p', [role(of, { a1: no('it is down') })]), playOf('q', [roleOf('other', [line('y', 'new')])])], {
        onFailure: 'stop',
      }),
    )
    expect(of.story).toEqual(['read a1', 'ask a1: healthy'])
    expect([outcomes.a1?.['scratch y'], code]).toEqual(['skipped: a1: healthy: it is down', 1])
  })

  test('are all that a play’s own gates after it are of, where it changes nothing', async () => {
    using of = fleet('a1', 'a2')
    const asked: unknown[] = []
    const after = (scope: PlayScope) => {
      asked.push(names(scope))
      return scope.hosts.map((host) => of.gate(host, 'scraped'))
    }
    const { code } = await of.run(bookOf([playOf('p', [], { after }), playOf('q', [web])]))
    expect(asked).toEqual([[[], ['a1', 'a2']]])
    expect(of.story.slice(2)).toEqual(['ask a1: scraped', 'ask a2: scraped', 'change a1', 'change a2'])
    expect(code).toBe(0)
  })

  test('and where some are changed, the gates after it are asked of these alone', async () => {
    using of = fleet('a1', 'a2')
    of.machine('a1').write('x', 'new')
    await of.run(bookOf([playOf('p', [web], { after: gates(of, 'scraped') })]))
    expect(of.story.filter((one) => one.startsWith('ask'))).toEqual(['ask a2: scraped'])
  })

  test('in a run that changes nothing, every play is asked at once, whatever another says', async () => {
    using of = fleet('a1', 'b1')
    for (const name of ['a1', 'b1']) of.machine(name).write('x', 'new')
    const { report, code } = await of.run(
      bookOf(
        [
          playOf('p', [role(of, { a1: no('it is down') })], { hosts: ({ name }) => name === 'a1' }),
          playOf('q', [role(of)], { hosts: ({ name }) => name === 'b1' }),
        ],
        { onFailure: 'stop' },
      ),
    )
    expect(of.story).toEqual(['read a1', 'read b1', 'ask a1: healthy', 'ask b1: healthy'])
    expect([report?.gates.length, code]).toEqual([2, 1])
  })
})
