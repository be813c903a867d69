/** Two controllers, each with a part of a group, of which one is killed: by the machines' own journals, never are two members interrupted at once. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { LinkError } from '../../../lib/errors.ts'
import { command } from '../../../lib/kinds/command.ts'
import type { Connection, Gate, Host, Play } from '../../../lib/model.ts'
import { bookOf, type Fleet, fleet, playOf, roleOf } from './fleet.ts'
import { asItBegins, type SmallLink } from './small-machine.ts'

const NAMES = ['a1', 'b1', 'c1'] as const
type Name = (typeof NAMES)[number]

/** What a service of a machine says of itself, each with the time. */
const restart = command(
  'restart',
  `echo "stops $(date +%s%N)" >>journal; sleep 0.3; echo "serves $(date +%s%N)" >>journal`,
  { unless: 'test -e journal', interrupts: true },
)

const journal = (of: Fleet, name: Name) => (of.machine(name).text('journal') ?? '').split('\n').filter(Boolean)

/** It is asked over the link, and says no while its service stands still. */
const serves = (of: Fleet, host: Host): Gate => ({
  name: 'it serves',
  host: host.name,
  within: '2s',
  async ask(reach) {
    await reach(host)
    const last = journal(of, host.name as Name).at(-1)
    return last?.startsWith('stops') ? { pass: false, why: 'it stands still' } : { pass: true }
  },
})

const book = (of: Fleet, members: Play['members']) =>
  bookOf([
    playOf('p', [roleOf('web', [restart], { healthy: (host) => [serves(of, host)] })], {
      batch: 1,
      members,
      before: ({ inventory, batch }) =>
        inventory.hosts.filter((host) => !batch.includes(host)).map((host) => serves(of, host)),
    }),
  ])

/** A controller that reaches these hosts only, and is killed some time after it has sent its nth script. */
const controller = (of: Fleet, { reaches = NAMES as readonly string[], killedAt = 0, afterMs = 0 } = {}) => {
  const death = Promise.withResolvers<never>()
  death.promise.catch(() => undefined)
  const links: SmallLink[] = []
  let sent = 0
  const kill = (): void => {
    death.reject(new LinkError('', 'the controller was killed'))
    for (const link of links) link.hangUp()
  }
  const connect = async (host: Host) => {
    if (!reaches.includes(host.name)) throw new LinkError(host.name, 'no route to host')
    const link = await of.machine(host.name).connect(host)
    links.push(link)
    const exec: Connection['exec'] = (...args) => {
      sent += 1
      if (sent === killedAt) setTimeout(kill, afterMs)
      return Promise.race([death.promise, link.exec(...args)])
    }
    // Its scripts outlive it, so nothing is closed.
    return { ...link, exec, async [Symbol.asyncDispose]() {} }
  }
  return { connect, sent: () => sent, hangUp: () => links.forEach((link) => void link.hangUp()) }
}

/** Those interruptions that overlap: each from the moment a service stops to that when it serves again. */
const overlaps = (of: Fleet): readonly string[] => {
  const all = NAMES.flatMap((name) => {
    const [stops, back] = journal(of, name).map((line) => BigInt(line.split(' ')[1] ?? ''))
    return stops === undefined ? [] : [{ name, stops, back }]
  }).sort((one, other) => (one.stops < other.stops ? -1 : 1))
  return all.flatMap((one, at) => {
    const next = all[at + 1]
    return next && (one.back === undefined || next.stops < one.back) ? [`${one.name} and ${next.name}`] : []
  })
}

interface Round {
  readonly killedAt?: number
  readonly afterMs?: number
  readonly reaches?: readonly string[]
  /** No group has a lock, and each waits for the other before it restarts its first: the worst that chance can bring. */
  readonly unlocked?: boolean
}

/** Ann restarts a1 and c1, and is killed; Eve restarts b1. */
const bothAtOnce = async ({ killedAt, afterMs, reaches, unlocked }: Round) => {
  using of = fleet(...NAMES)
  for (const name of NAMES) of.machine(name).sleeps()
  if (unlocked) meetAt(of, ['a1', 'b1'])
  const members: Play['members'] = ({ inventory }) => (unlocked ? [] : [inventory.hosts])
  const [ann, eve] = [controller(of, { killedAt, afterMs }), controller(of, { reaches })]
  const run = async (who: typeof ann, run: string, names: readonly Name[]) => {
    const hosts = of.inventory.hosts.filter(({ name }) => names.includes(name as Name))
    const { code } = await of.run(book(of, members), { run, hosts, connect: who.connect })
    who.hangUp()
    return code
  }
  const [, code] = await Promise.all([run(ann, 'run-of-ann', ['a1', 'c1']), run(eve, 'run-of-eve', ['b1'])])
  // What a killed controller has left behind comes to its end.
  await sleep(500)
  return {
    code,
    overlaps: overlaps(of),
    sent: ann.sent(),
    interrupted: NAMES.filter((name) => journal(of, name).length),
  }
}

/** Changes of these begin together. */
const meetAt = (of: Fleet, names: readonly Name[]): void => {
  const { promise, resolve } = Promise.withResolvers<void>()
  let there = 0
  for (const name of names) {
    of.machine(name).at(
      'change',
      asItBegins(() => {
        there += 1
        if (there === names.length) resolve()
        return promise
      }),
    )
  }
}

/** How many scripts a run with two members sends: 2 to read, and for each member 3 to hold and 1 to change. */
const SCRIPTS = 10
const moments = [0, 150].flatMap((afterMs) =>
  Array.from({ length: SCRIPTS }, (_, at) => ({ killedAt: at + 1, afterMs })),
)

test('whatever moment one is killed at, no two members are interrupted at once, and the other gets its turn', async () => {
  const rounds = []
  for (const some of [moments.slice(0, 10), moments.slice(10)])
    rounds.push(...(await Promise.all(some.map(bothAtOnce))))
  expect(rounds.map(({ overlaps }) => overlaps)).toEqual(moments.map(() => []))
  expect(rounds.filter(({ interrupted }) => interrupted.includes('b1')).length).toBeGreaterThan(moments.length / 2)
  expect(rounds.filter(({ interrupted }) => interrupted.length === 1).length).toBeGreaterThan(0)
}, 120_000)

test('a host that one does not reach, and on which a killed run may have left a script, keeps it from interrupting another', async () => {
  const reaches = ['b1', 'c1']
  const rounds = await Promise.all(moments.slice(0, SCRIPTS).map((moment) => bothAtOnce({ ...moment, reaches })))
  expect(rounds.map(({ overlaps, code }) => [overlaps, code])).toEqual(rounds.map(() => [[], 1]))
}, 120_000)

test('without the group’s lock two members are interrupted at once: what these tests look for can be seen', async () => {
  expect((await bothAtOnce({ unlocked: true })).overlaps).not.toEqual([])
}, 60_000)

test('nobody is killed: one waits for the other, and all are restarted', async () => {
  const { sent, interrupted, overlaps, code } = await bothAtOnce({})
  expect({ sent, interrupted, overlaps, code }).toEqual({
    sent: SCRIPTS,
    interrupted: [...NAMES],
    overlaps: [],
    code: 0,
  })
}, 60_000)
