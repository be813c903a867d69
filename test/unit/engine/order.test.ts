import { describe, expect, test } from 'vitest'
import type { Host, PlayScope } from '../../../lib/model.ts'
import { inGroup } from '../../../lib/playbook.ts'
import { bookOf, type Fleet, fleet, playOf, roleOf } from './fleet.ts'
import { line } from './scratch.ts'

const interrupting = roleOf('web', [line('x', 'new', { interrupts: true })])
const calm = roleOf('web', [line('x', 'new')])
/** Only fails on these hosts. */
const failingOn = (...names: readonly string[]) =>
  roleOf('web', ({ name }) => [line('x', 'new', { interrupts: true, fail: names.includes(name) })])
const changes = ({ story }: Fleet): readonly string[] => story.filter((one) => one.startsWith('change'))

describe('plays and batches', () => {
  test('every host is read before any is changed, and plays go one after the other', async () => {
    using of = fleet('a1', 'b1', 'c1')
    const { code, outcomes } = await of.run(
      bookOf([
        playOf('second letter', [calm], { hosts: inGroup('b') }),
        playOf('first letter', [calm], { hosts: inGroup('a') }),
        playOf('third letter', [calm], { hosts: inGroup('c') }),
      ]),
    )
    expect(of.story).toEqual(['read b1', 'read a1', 'read c1', 'change b1', 'change a1', 'change c1'])
    expect([code, outcomes]).toEqual([
      0,
      { a1: { 'scratch x': 'changed' }, b1: { 'scratch x': 'changed' }, c1: { 'scratch x': 'changed' } },
    ])
  })

  test('hosts whose service would be interrupted go so many at a time, in the inventory’s order', async () => {
    using of = fleet('a1', 'a2', 'a3', 'a4', 'a5')
    const { events } = await of.run(bookOf([playOf('p', [interrupting], { batch: 2 })]))
    expect(events.flatMap((event) => (event.event === 'batch-started' ? [event.hosts] : []))).toEqual([
      ['a1', 'a2'],
      ['a3', 'a4'],
      ['a5'],
    ])
    expect(changes(of)).toEqual(['change a1', 'change a2', 'change a3', 'change a4', 'change a5'])
    expect(of.most('change')).toBe(2)
  })

  test('hosts that nothing interrupts go first, all at once, whatever the batch size', async () => {
    using of = fleet('a1', 'b1', 'a2', 'b2')
    const some = roleOf('web', ({ groups }) => [line('x', 'new', { interrupts: groups.includes('a') })])
    const { events } = await of.run(bookOf([playOf('p', [some], { batch: 1 })]))
    expect(
      events.flatMap((event) => (event.event === 'batch-started' ? [[event.interrupts, ...event.hosts]] : [])),
    ).toEqual([
      [false, 'b1', 'b2'],
      [true, 'a1'],
      [true, 'a2'],
    ])
  })

  test('hosts that must be kept apart are never changed in one batch', async () => {
    using of = fleet('a1', 'a2', 'b1', 'b2')
    const apart = ({ groups }: Host) => groups[0] ?? ''
    const { plan } = await of.run(bookOf([playOf('p', [interrupting], { apart })]))
    expect(plan.batches.map(({ hosts }) => hosts.map(({ host }) => host))).toEqual([
      ['a1', 'b1'],
      ['a2', 'b2'],
    ])
    expect(changes(of)).toEqual(['change a1', 'change b1', 'change a2', 'change b2'])
    expect(of.most('change')).toBe(2)
  })

  test('a percentage is of all hosts of the play, also of those with nothing to do', async () => {
    using of = fleet('a1', 'a2', 'a3', 'a4')
    of.machine('a3').write('x', 'new')
    of.machine('a4').write('x', 'new')
    const { plan } = await of.run(bookOf([playOf('p', [interrupting], { batch: '50%' })]))
    expect(plan.batches.map(({ hosts }) => hosts.map(({ host }) => host))).toEqual([['a1', 'a2']])
  })

  test('a host with nothing to do is read and left alone', async () => {
    using of = fleet('a1', 'a2')
    of.machine('a1').write('x', 'new')
    const { outcomes } = await of.run(bookOf([playOf('p', [interrupting], { batch: 1 })]))
    expect(of.story).toEqual(['read a1', 'read a2', 'change a2'])
    expect(outcomes).toEqual({ a1: { 'scratch x': 'same' }, a2: { 'scratch x': 'changed' } })
    expect(of.machine('a1').text('/var/lib/vestal/last-run')).toBeUndefined()
  })

  test('no more hosts are worked on at once than `forks` says', async () => {
    using of = fleet('a1', 'a2', 'a3', 'a4')
    await of.run(bookOf([playOf('p', [calm])]), { forks: 2 })
    expect([of.most('read'), of.most('change')]).toEqual([2, 2])
    using free = fleet('a1', 'a2', 'a3', 'a4')
    await free.run(bookOf([playOf('p', [calm])]))
    expect([free.most('read'), free.most('change')]).toEqual([4, 4])
  })

  test('a host is logged in to once for a whole run, and left at its end', async () => {
    using of = fleet('a1', 'a2')
    const { report } = await of.run(bookOf([playOf('p', [calm]), playOf('q', [roleOf('other', [line('y', 'new')])])]))
    expect([of.most('connect'), of.machine('a1').logins(), of.machine('a1').links()]).toEqual([2, 1, 0])
    expect(report?.cost).toMatchObject({ a1: { execs: 3 }, a2: { execs: 3 } })
  })
})

test('a run and its report name the run, its playbook, its inventory and its hosts, and say how long it took', async () => {
  using of = fleet('a1', 'a2')
  const { report, events } = await of.run(bookOf([playOf('p', [calm])]))
  const about = { run: 'run-1', playbook: 'book', inventory: 'small' }
  expect(events[0]).toMatchObject({ event: 'run-started', ...about, hosts: ['a1', 'a2'] })
  expect(report).toMatchObject({ vestal: 'report/1', ...about, interrupted: false, stops: [], gates: [] })
  expect(events.at(-1)).toMatchObject({ event: 'run-ended', report })
  expect(Date.parse(report?.startedAt ?? '') + (report?.ms ?? 0)).toBeLessThanOrEqual(Date.now())
})

describe('a batch that fails', () => {
  test('ends its play: later batches are not touched, and the report says so', async () => {
    using of = fleet('a1', 'a2', 'a3', 'a4')
    const { code, outcomes, report, events } = await of.run(bookOf([playOf('p', [failingOn('a2')], { batch: 2 })]))
    expect(changes(of)).toEqual(['change a1', 'change a2'])
    expect(outcomes).toEqual({
      a1: { 'scratch x': 'changed' },
      a2: { 'scratch x': 'failed: no good' },
      a3: { 'scratch x': 'skipped: a2 failed in an earlier batch' },
      a4: { 'scratch x': 'skipped: a2 failed in an earlier batch' },
    })
    expect(report?.stops).toEqual(['p: a2: scratch x: no good. Not touched: a3, a4.'])
    expect(events.filter(({ event }) => event === 'stopped')).toMatchObject([
      { play: 'p', why: 'a2: scratch x: no good. Not touched: a3, a4.' },
    ])
    expect(code).toBe(1)
    expect(['a3', 'a4'].map((name) => of.machine(name).text('x'))).toEqual([undefined, undefined])
  })

  test('does not end other plays, which leave the failed host alone', async () => {
    using of = fleet('a1', 'a2')
    const { outcomes } = await of.run(
      bookOf([playOf('p', [failingOn('a1')], { batch: 1 }), playOf('q', [roleOf('other', [line('y', 'new')])])]),
    )
    expect(changes(of)).toEqual(['change a1', 'change a2'])
    expect(outcomes).toEqual({
      a1: { 'scratch x': 'failed: no good', 'scratch y': 'skipped: the host failed earlier in this run' },
      a2: { 'scratch x': 'skipped: a1 failed in an earlier batch', 'scratch y': 'changed' },
    })
  })

  test('ends the whole run where the playbook says so', async () => {
    using of = fleet('a1', 'a2')
    const { outcomes, code } = await of.run(
      bookOf([playOf('p', [failingOn('a1')], { batch: 1 }), playOf('q', [roleOf('other', [line('y', 'new')])])], {
        onFailure: 'stop',
      }),
    )
    expect(changes(of)).toEqual(['change a1'])
    expect(outcomes.a2).toEqual({
      'scratch x': 'skipped: a1 failed in an earlier batch',
      'scratch y': 'skipped: a1 failed in an earlier batch',
    })
    expect(code).toBe(1)
  })

  test('ends a play only when more hosts failed than may', async () => {
    using of = fleet('a1', 'a2', 'a3', 'a4')
    const { outcomes, code } = await of.run(bookOf([playOf('p', [failingOn('a1', 'a3')], { batch: 1, maxFail: 1 })]))
    expect(changes(of)).toEqual(['change a1', 'change a2', 'change a3'])
    expect(outcomes.a4).toEqual({ 'scratch x': 'skipped: a3 failed in an earlier batch' })
    expect(code).toBe(1)
  })

  test('is not made worse by batches before it that went well', async () => {
    using of = fleet('a1', 'a2', 'a3')
    const { outcomes } = await of.run(bookOf([playOf('p', [failingOn('a2')], { batch: 1, maxFail: 1 })]))
    expect(outcomes.a3).toEqual({ 'scratch x': 'changed' })
  })

  test('leaves a later play whose hosts have all failed nothing to ask and nothing to begin', async () => {
    using of = fleet('a1', 'a2')
    const before = ({ batch }: PlayScope) => [of.gate(of.machine('a2').host, `safe for ${batch.length}`)]
    const other = roleOf('other', [line('y', 'new', { interrupts: true })])
    const { events } = await of.run(
      bookOf([playOf('p', [failingOn('a1')]), playOf('q', [other], { batch: 1, before })]),
    )
    expect(of.story.filter((one) => one.startsWith('ask'))).toEqual(['ask a2: safe for 1'])
    expect(events.flatMap((event) => (event.event === 'batch-started' ? [event.hosts] : []))).toEqual([
      ['a1', 'a2'],
      ['a2'],
    ])
  })

  test('is told at the end by its first line and the one that says why', async () => {
    using of = fleet('a1')
    const wordy = line('x', 'new', { fail: 'checking conf\nline 1 is fine\nerror: line 2 is not\nbye' })
    const { report, outcomes } = await of.run(bookOf([playOf('p', [roleOf('web', [wordy])])]))
    expect(outcomes.a1?.['scratch x']).toContain('line 1 is fine')
    expect(report?.stops).toEqual(['p: a1: scratch x: checking conf error: line 2 is not.'])
  })

  test('is still a failed run where that many may fail, and its play goes on to the end', async () => {
    using of = fleet('a1', 'a2', 'a3')
    const { outcomes, report, code } = await of.run(
      bookOf([playOf('p', [failingOn('a1', 'a2')], { batch: 2, maxFail: 2 })], { onFailure: 'stop' }),
    )
    expect(outcomes.a3).toEqual({ 'scratch x': 'changed' })
    expect([report?.stops, code]).toEqual([[], 1])
  })

  test('counts each host that failed, not each batch', async () => {
    using of = fleet('a1', 'a2', 'a3')
    const { outcomes } = await of.run(bookOf([playOf('p', [failingOn('a1', 'a2')], { batch: 2, maxFail: 1 })]))
    expect(outcomes.a3).toEqual({ 'scratch x': 'skipped: a1, a2 failed in an earlier batch' })
  })
})
