import { describe, expect, test } from 'vitest'
import { InputError } from '../../../lib/errors.ts'
import type { Task } from '../../../lib/model.ts'
import { inGroup } from '../../../lib/playbook.ts'
import { Sealed, Secret } from '../../../lib/secret.ts'
import { bookOf, type Fleet, fleet, playOf, roleOf } from './fleet.ts'
import { program } from './program.ts'
import { line, noLine, scratch } from './scratch.ts'
import { cutInHalf, lostBefore } from './small-machine.ts'

const NEVER = { confirm: () => false }
const planOf = async (of: Fleet, tasks: readonly Task[], options: Parameters<Fleet['run']>[1] = {}) =>
  (await of.run(bookOf([playOf('p', [roleOf('web', tasks)])]), { ...NEVER, ...options })).plan

describe('a plan', () => {
  test('says of each host what would change, why, in which steps, and what that interrupts', async () => {
    using of = fleet('a1', 'a2')
    for (const [name, text] of Object.entries({ conf: 'old', loaded: 'old', gone: 'x', right: 'new' }))
      of.machine('a2').write(name, text)
    const plan = await planOf(of, [...program('new'), noLine('gone'), line('right', 'new')])
    expect(plan).toEqual({
      vestal: 'plan/1',
      playbook: 'book',
      inventory: 'small',
      changes: 6,
      batches: [
        {
          play: 'p',
          interrupts: false,
          hosts: [
            {
              host: 'a1',
              same: 1,
              changes: [
                change('scratch conf', 'create', 'is missing', 'write conf'),
                change('program web', 'create', 'is missing', 'restart web'),
                change('scratch right', 'create', 'is missing', 'write right'),
              ],
            },
          ],
        },
        {
          play: 'p',
          interrupts: true,
          hosts: [
            {
              host: 'a2',
              same: 1,
              changes: [
                change('scratch conf', 'change', 'text: old → new', 'write conf'),
                { ...change('program web', 'change', 'loaded: old → new', 'restart web'), interrupts: true },
                change('scratch gone', 'remove', 'must not be there', 'write gone'),
              ],
            },
          ],
        },
      ],
      read: 2,
      unreachable: {},
    })
  })

  test('is plain JSON, the same each time, and changes nothing', async () => {
    using of = fleet('a1', 'a2')
    of.machine('a2').write('conf', 'old')
    const once = await planOf(of, program('new'))
    const again = await planOf(of, program('new'))
    expect(JSON.stringify(again)).toBe(JSON.stringify(once))
    expect(JSON.parse(JSON.stringify(once))).toEqual(once)
    expect(of.machine('a2').text('conf')).toBe('old')
    expect([...new Set(of.story)]).toEqual(['read a1', 'read a2'])
  })

  test('is empty once it was carried out', async () => {
    using of = fleet('a1', 'a2')
    await of.run(bookOf([playOf('p', [roleOf('web', program('new'))])]))
    expect(await planOf(of, program('new'))).toMatchObject({ changes: 0, batches: [] })
  })

  test('of chosen hosts is of no other', async () => {
    using of = fleet('a1', 'a2')
    const plan = await planOf(of, program('new'), { hosts: of.inventory.hosts.slice(1) })
    expect(of.story).toEqual(['read a2'])
    expect(plan.batches.flatMap(({ hosts }) => hosts.map(({ host }) => host))).toEqual(['a2'])
  })

  test('of chosen tags has only the tasks of these roles and tags', async () => {
    using of = fleet('a1')
    const book = bookOf([
      playOf('p', [
        roleOf('base', [line('b', 'x')]),
        roleOf('web', [line('c', 'x', { tags: ['config'] }), line('d', 'x')]),
      ]),
    ])
    const tasks = async (tags: readonly string[]) =>
      (await of.run(book, { ...NEVER, tags })).plan.batches.flatMap(({ hosts }) =>
        hosts.flatMap(({ changes }) => changes.map(({ role, task }) => `${role}: ${task}`)),
      )
    expect(await tasks(['web'])).toEqual(['web: scratch c', 'web: scratch d'])
    expect(await tasks(['base', 'config'])).toEqual(['base: scratch b', 'web: scratch c'])
    await expect(tasks(['confg'])).rejects.toThrow('no role or task has that tag; did you mean `config`?')
  })

  test('has a task that two plays want once, in the first of them', async () => {
    using of = fleet('a1', 'b1')
    const web = roleOf('web', [line('x', 'new')])
    const { plan } = await of.run(
      bookOf([playOf('p', [web], { hosts: inGroup('a') }), playOf('q', [web, roleOf('more', [line('y', 'new')])])]),
      NEVER,
    )
    expect(
      plan.batches.flatMap(({ play, hosts }) =>
        hosts.flatMap(({ host, changes }) => changes.map(({ task }) => `${play} ${host}: ${task}`)),
      ),
    ).toEqual(['p a1: scratch x', 'q a1: scratch y', 'q b1: scratch x', 'q b1: scratch y'])
  })

  test('is refused where two roles want one thing in two ways, before any host is asked', async () => {
    using of = fleet('a1')
    const book = bookOf([playOf('p', [roleOf('web', [line('x', 'one')]), roleOf('other', [line('x', 'two')])])])
    await expect(of.run(book, NEVER)).rejects.toThrow('host a1: scratch x is wanted in two ways, by web and other')
    expect(of.story).toEqual([])
  })
})

describe('what a host will refuse', () => {
  const refusal = { why: 'the way is another’s', fix: 'chown it.' }
  const refusing = (key: string): Task =>
    ({ ...line(key, 'new'), kind: { ...scratch, name: 'guarded', refused: () => new Map([[key, refusal]]) } }) as Task
  const book = bookOf([
    playOf('first', [roleOf('web', [line('x', 'new')])], { hosts: inGroup('a') }),
    playOf('second', [roleOf('data', [line('y', 'new'), refusing('d')])], { hosts: inGroup('b') }),
  ])

  test('stands in the plan, read with all else', async () => {
    using of = fleet('a1', 'b1')
    const { plan } = await of.run(book, NEVER)
    expect(of.story).toEqual(['read a1', 'read b1'])
    expect(plan.batches[1]?.hosts[0]?.changes.map(({ task, refused }) => [task, refused])).toEqual([
      ['scratch y', undefined],
      ['guarded d', refusal],
    ])
  })

  test('ends a run before its first change, on hosts of earlier plays too, and before alerts are watched', async () => {
    using of = fleet('a1', 'b1', 'b2')
    const begin = () => Promise.reject(new Error('watched'))
    const { code, report, outcomes, events } = await of.run(book, { watch: { begin, end: begin } })
    expect(of.story).toEqual(['read a1', 'read b1', 'read b2'])
    expect(code).toBe(1)
    expect(report?.stops).toEqual(['book: b1, b2 can’t be changed yet; nothing was changed anywhere.'])
    expect(outcomes).toEqual({
      a1: { 'scratch x': 'skipped: b1, b2 can’t be changed yet' },
      b1: { 'scratch y': 'skipped: b1, b2 can’t be changed yet', 'guarded d': 'failed: the way is another’s' },
      b2: { 'scratch y': 'skipped: b1, b2 can’t be changed yet', 'guarded d': 'failed: the way is another’s' },
    })
    expect(events.filter(({ event }) => event === 'host-failed')).toMatchObject([
      { host: 'b1', task: 'guarded d', why: refusal.why, hint: refusal.fix },
      { host: 'b2', task: 'guarded d', why: refusal.why, hint: refusal.fix },
    ])
  })

  test('is nothing where it is right already', async () => {
    using of = fleet('a1', 'b1')
    of.machine('b1').write('d', 'new')
    expect(await of.run(book)).toMatchObject({ code: 0 })
  })
})

describe('what a kind must find out on the controller first', () => {
  const prepared = (prepare: NonNullable<typeof scratch.prepare>): Task =>
    ({ ...line('x', 'latest'), kind: { ...scratch, prepare } }) as Task

  test('is asked once a host, before it is read, and is what is then wanted', async () => {
    using of = fleet('a1', 'a2')
    const kind = prepared(async (tasks, { host }) => {
      of.story.push(`prepare ${tasks.length} for ${host.name}`)
      return tasks.map((task) => ({ ...task, desired: { text: '1.2.3' } }))
    }).kind
    const both = [{ ...line('x', 'latest'), kind } as Task, line('y', 'new'), { ...line('z', 'latest'), kind } as Task]
    await of.run(bookOf([playOf('p', [roleOf('web', both)])]))
    expect(of.story.slice(0, 3)).toEqual(['prepare 2 for a1', 'prepare 2 for a2', 'read a1'])
    expect(['x', 'y', 'z'].map(of.machine('a1').text)).toEqual(['1.2.3', 'new', '1.2.3'])
  })

  test('and cannot ends the run before any host is asked', async () => {
    using of = fleet('a1')
    const wrong = new InputError([{ where: 'web', what: 'there is no release latest' }])
    const tasks = [prepared(() => Promise.reject(wrong))]
    await expect(of.run(bookOf([playOf('p', [roleOf('web', tasks)])]))).rejects.toBe(wrong)
    expect(of.story).toEqual([])
  })
})

describe('a plan with diffs', () => {
  test('shows how texts would change, and asks only for those that are there', async () => {
    using of = fleet('a1')
    of.machine('a1').write('x', 'one')
    const plan = await planOf(of, [line('x', 'two'), line('y', 'new')], { diff: true })
    expect(of.story).toEqual(['read a1', 'diff a1'])
    expect(
      plan.batches[0]?.hosts[0]?.changes.map(({ diff }) => diff?.split('\n').filter((one) => /^[+-]\w/.test(one))),
    ).toEqual([['-one', '+two'], ['+new']])
  })

  test('of one host has those of all its plays', async () => {
    using of = fleet('a1', 'a2')
    const { plan } = await of.run(
      bookOf([playOf('p', [roleOf('web', [line('x', 'one')])]), playOf('q', [roleOf('more', [line('y', 'two')])])]),
      { ...NEVER, diff: true },
    )
    expect(
      plan.batches.flatMap(({ hosts }) =>
        hosts.flatMap(({ host, changes }) => changes.map(({ diff }) => [host, /^\+\w+/m.exec(diff ?? '')?.[0]])),
      ),
    ).toEqual([
      ['a1', '+one'],
      ['a2', '+one'],
      ['a1', '+two'],
      ['a2', '+two'],
    ])
  })

  test('never shows a text with a secret, nor fetches it', async () => {
    using of = fleet('a1')
    of.machine('a1').write('x', 'one')
    const secret: Task = {
      ...line('x', 'two'),
      kind: {
        ...scratch,
        text: () => ({ path: 'x', content: new Sealed(['password: ', new Secret('hush')]) }),
      } as Task['kind'],
    }
    const plan = await planOf(of, [secret], { diff: true })
    expect(plan.batches[0]?.hosts[0]?.changes[0]?.diff).toBe('x holds secrets: no diff is shown')
    expect(of.story).toEqual(['read a1'])
  })

  test('is not asked for where nobody wants it', async () => {
    using of = fleet('a1')
    const plan = await planOf(of, [line('x', 'two')])
    expect([of.story, plan.batches[0]?.hosts[0]?.changes[0]]).toEqual([
      ['read a1'],
      change('scratch x', 'create', 'is missing', 'write x'),
    ])
  })
})

describe('a host that cannot be read', () => {
  const tasks = [line('x', 'new')]

  test.each([
    ['is unreachable', 'connect', lostBefore, /^the link was lost$/],
    ['loses its link meanwhile', 'read', lostBefore, /^the link was lost$/],
    ['answers by half', 'read', cutInHalf, /^the reading was cut off \(exit code 0\)$/],
  ] as const)(
    'because it %s is told as such with the plan, and the others are planned',
    async (_, stage, fate, why) => {
      using of = fleet('a1', 'a2')
      of.machine('a1').at(stage, fate)
      const { plan, events } = await of.run(bookOf([playOf('p', [roleOf('web', tasks)])]), { ...NEVER, forks: 1 })
      expect(plan.unreachable).toEqual({ a1: expect.stringMatching(why) })
      expect(plan.batches.flatMap(({ hosts }) => hosts.map(({ host }) => host))).toEqual(['a2'])
      expect(events.filter(({ event }) => /^host-/.test(event))).toMatchObject([
        { event: 'host-failed', host: 'a1', why: expect.stringMatching(why) },
        { event: 'host-read', host: 'a2', tasks: 1, facts: { lock: null } },
      ])
    },
  )

  test('is a failure of the run, and the others are changed', async () => {
    using of = fleet('a1', 'a2')
    of.machine('a1').at('connect', lostBefore)
    const { outcomes, report, code } = await of.run(bookOf([playOf('p', [roleOf('web', tasks)])]))
    expect(outcomes).toEqual({ a1: { connect: 'failed: the link was lost' }, a2: { 'scratch x': 'changed' } })
    expect([report?.hosts.a1?.connect, code]).toMatchObject([{ hint: 'Look at the cable.' }, 1])
  })

  test('keeps a run that stops at a failure from changing any, unless that many may fail', async () => {
    using of = fleet('a1', 'a2', 'a3')
    of.machine('a1').at('connect', lostBefore)
    of.machine('a3').at('connect', lostBefore)
    const book = (maxFail?: number) =>
      bookOf([playOf('first', []), playOf('p', [roleOf('web', tasks)], { maxFail })], { onFailure: 'stop' })
    const { outcomes, report, code } = await of.run(book(1))
    expect(outcomes.a2).toEqual({ 'scratch x': 'skipped: a1, a3 could not be read' })
    expect(report?.stops).toEqual(['book: a1, a3 could not be read; nothing was changed.'])
    expect([of.machine('a2').text('x'), code]).toEqual([undefined, 1])
    expect((await of.run(book(2))).outcomes.a2).toEqual({ 'scratch x': 'changed' })
  })

  test('because its architecture is another says what to write', async () => {
    using of = fleet('a1')
    const [host] = of.inventory.hosts
    const hosts = host ? [{ ...host, machine: { ...host.machine, arch: 'armv7' as const } }] : []
    const { report } = await of.run(bookOf([playOf('p', [roleOf('web', tasks)])]), {
      hosts,
      connect: async () => {
        const connection = await of.machine('a1').connect(of.machine('a1').host)
        return Object.defineProperty(connection, 'host', { value: hosts[0] })
      },
    })
    expect(report?.hosts.a1?.facts).toMatchObject({
      status: 'failed',
      why: `its architecture is ${host?.machine.arch}, the inventory says armv7`,
      hint: `Set \`vestal: {arch: ${host?.machine.arch}}\` for this host.`,
    })
  })

  test('a bug is thrown on, and connections are closed all the same', async () => {
    using of = fleet('a1', 'a2')
    const bug = new RangeError('a bug')
    of.machine('a1').at('read', () => Promise.reject(bug))
    await expect(of.run(bookOf([playOf('p', [roleOf('web', tasks)])]))).rejects.toBe(bug)
    expect(['a1', 'a2'].map((name) => of.machine(name).links())).toEqual([0, 0])
  })
})

const change = (task: string, action: string, why: string, step: string) => ({
  task,
  role: 'web',
  action,
  why,
  steps: [step],
  interrupts: false,
})
