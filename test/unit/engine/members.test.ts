import { expect, test } from 'vitest'
import { holdMembers } from '../../../lib/engine/members.ts'
import { connectionPool } from '../../../lib/engine/pool.ts'
import { bobsLock } from './bobs-lock.ts'
import { bookOf, type Fleet, fleet, playOf, roleOf } from './fleet.ts'
import { line } from './scratch.ts'
import { asItBegins, asItEnds, lostBefore } from './small-machine.ts'

const deploy = (of: Fleet, names: readonly string[], { interrupts = true, run = 'run-of-ann' } = {}) =>
  of.run(
    bookOf([
      playOf('p', [roleOf('web', [line('x', 'new', { interrupts })])], {
        batch: 1,
        members: ({ inventory }) => [inventory.hosts],
        before: ({ batch }) => batch.map((host) => of.gate(host, 'others serve')),
      }),
    ]),
    { run, hosts: of.inventory.hosts.filter(({ name }) => names.includes(name)) },
  )
const lockedByBob = (of: Fleet, name: string): void => of.machine(name).write('/run/vestal/lock', bobsLock())
const lost = (of: Fleet, name: string): void => of.machine(name).at('connect', lostBefore)

test('before a member is interrupted all of its group are held, in the order of their names, and then the gates are asked', async () => {
  using of = fleet('c1', 'a1', 'b1')
  const { outcomes, code } = await deploy(of, ['b1'])
  expect(of.story).toEqual(['read b1', 'hold a1', 'hold b1', 'hold c1', 'ask b1: others serve', 'change b1'])
  expect([outcomes.b1, code]).toEqual([{ 'scratch x': 'changed' }, 0])
})

test.each([
  ['asks others first', () => [], ['hold a1', 'hold a2', 'change a2']],
  ['asks nobody', undefined, ['change a2']],
])(
  'a role whose rollout %s says by itself whom a play of it holds: the hosts that have it',
  async (_, before, story) => {
    using of = fleet('a1', 'a2', 'b1')
    const titles = { all: '', first: '', joins: '', learns: '', forgets: '' }
    const web = {
      ...roleOf('web', [line('x', 'new', { interrupts: true })]),
      group: 'a',
      rollout: { titles, batch: 1, before },
    }
    await of.run(bookOf([playOf('p', [web])]), { hosts: of.inventory.hosts.filter(({ name }) => name === 'a2') })
    expect(of.story).toEqual(['read a2', ...story])
  },
)

test('what interrupts nothing holds nobody', async () => {
  using of = fleet('a1', 'b1')
  await deploy(of, ['a1'], { interrupts: false })
  expect(of.story).toEqual(['read a1', 'change a1'])
})

test('a member of another run’s keeps a member that this run alone is to change from being interrupted', async () => {
  using of = fleet('a1', 'b1')
  lockedByBob(of, 'b1')
  const { report, code } = await deploy(of, ['a1'])
  expect(of.machine('a1').text('x')).toBeUndefined()
  expect(report?.stops?.[0]).toContain('a1 did not start: b1: locked by bob@lap since 2026-01-01T00:00:00Z')
  expect(report?.stops?.[0]).toContain('--break-lock b1')
  expect(code).toBe(1)
})

test('a member whose host can keep no lock keeps the others from being interrupted', async () => {
  using of = fleet('a1', 'b1')
  of.machine('b1').write('/run/vestal/lock.new/in-the-way', '')
  const { report } = await deploy(of, ['a1'])
  expect(of.machine('a1').text('x')).toBeUndefined()
  expect(report?.stops?.[0]).toMatch(/a1 did not start: b1: .*\/lock cannot be written/s)
})

test('before each batch it is made sure of again: a lock that was taken away meanwhile ends the play', async () => {
  using of = fleet('a1', 'b1', 'c1')
  of.machine('a1').at(
    'change',
    asItEnds(() => lockedByBob(of, 'c1')),
  )
  const { outcomes, report } = await deploy(of, ['a1', 'b1'])
  expect(outcomes.a1).toEqual({ 'scratch x': 'changed' })
  expect(of.machine('b1').text('x')).toBeUndefined()
  expect(report?.stops?.[0]).toContain('c1: locked by bob@lap')
})

test('two runs at once interrupt no two members, whichever comes first', async () => {
  using of = fleet('a1', 'b1', 'c1')
  const both: string[] = []
  let busy = 0
  for (const name of ['a1', 'c1'])
    of.machine(name).at('change', async (exec) => {
      busy += 1
      both.push(`${busy} at once`)
      const answer = await exec()
      busy -= 1
      return answer
    })
  const ended = await Promise.all([
    deploy(of, ['a1'], { run: 'run-of-ann' }),
    deploy(of, ['c1'], { run: 'run-of-eve' }),
  ])
  expect(new Set(both)).toEqual(new Set(['1 at once']))
  expect(ended.map(({ code }) => code)).toContain(0)
})

test('a member that cannot be reached is passed over as long as more than half of the group is held', async () => {
  using of = fleet('a1', 'b1', 'c1')
  lost(of, 'c1')
  expect((await deploy(of, ['b1'])).code).toBe(0)
})

test.each([
  ['a1', 0],
  ['b1', 1],
])(
  'of a group of two of which only %s can be reached, the first by name alone may be interrupted',
  async (here, code) => {
    using of = fleet('a1', 'b1')
    lost(of, here === 'a1' ? 'b1' : 'a1')
    const ended = await deploy(of, [here])
    expect(ended.code).toBe(code)
    if (code === 1) expect(ended.report?.stops?.[0]).toMatch(/of a1, b1 only 1 can be reached.*remove-node --dead/s)
  },
)

test('each of several groups is judged by itself: most of all their members are not most of each', async () => {
  using of = fleet('a1', 'a2', 'b1', 'b2', 'b3')
  for (const name of ['b2', 'b3']) lost(of, name)
  const { inventory } = of
  const group = (letter: string) => inventory.hosts.filter(({ groups }) => groups.includes(letter))
  const holding = {
    reach: connectionPool((host) => of.machine(host.name).connect(host)).reach,
    lockOf: () => ({
      run: 'run-of-ann',
      command: 'of ann',
      owner: 'ann@desk',
      since: '2026-01-01T00:00:00Z',
      break: false,
    }),
  }
  await holdMembers([inventory.hosts], { ...holding, held: new Set() })
  await expect(holdMembers([group('a'), group('b')], { ...holding, held: new Set() })).rejects.toThrow(
    'of b1, b2, b3 only 1 can be reached, so another run may be at work on the others: b2, b3',
  )
})

test('a run that waits for another which is killed takes its members as soon as nobody works there', async () => {
  using of = fleet('a1', 'b1')
  lockedByBob(of, 'b1')
  of.machine('b1').at(
    'hold',
    asItBegins(() => of.machine('b1').write('/run/vestal/lock', bobsLock().replace(/session=.*/, 'session=1 1'))),
  )
  expect((await deploy(of, ['a1'])).code).toBe(0)
})
