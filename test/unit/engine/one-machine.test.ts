/** Two hosts of an inventory that are one machine: what they share is changed once, and taken back with nobody else's. */
import { describe, expect, test } from 'vitest'
import type { RunOptions } from '../../../lib/engine/context.ts'
import type { Host, Play, Task } from '../../../lib/model.ts'
import { bobsLock } from './bobs-lock.ts'
import { bookOf, type Fleet, fleet, no, playOf, roleOf } from './fleet.ts'
import { program } from './program.ts'
import { line } from './scratch.ts'

/** The machine a1 under two names. */
const both = (of: Fleet): readonly [Host, Host] => {
  const { host } = of.machine('a1')
  return [host, { ...host, name: 'a1-b', machine: { ...host.machine, instance: 'b' } }]
}

const shared = line('shared', 'new')
const own = ({ name }: Host): Task => line(`conf-${name}`, 'new', { interrupts: true })

interface Wish {
  readonly tasks?: (host: Host) => readonly Task[]
  readonly sick?: string
  readonly more?: Partial<Play>
  readonly options?: Partial<RunOptions>
}
const roll = (of: Fleet, { tasks = (host) => [shared, own(host)], sick, more = {}, options = {} }: Wish = {}) => {
  const web = roleOf('web', tasks, {
    healthy: (host) => [of.gate(host, 'healthy', host.name === sick ? no('it is slow') : undefined)],
  })
  const { inventory } = of
  const hosts = both(of)
  Object.assign(inventory, { hosts })
  return of.run(bookOf([playOf('p', [web], { onGateFailure: 'take-back', ...more })]), {
    hosts,
    connect: async (host) => Object.create(await of.machine('a1').connect(host), { host: { value: host } }),
    ...options,
  })
}

describe('two hosts of one machine, in one batch', () => {
  test('are changed one after the other, the second by what the first has left', async () => {
    using of = fleet('a1')
    const { outcomes, code } = await roll(of)
    expect(of.story.filter((one) => /read|change/.test(one))).toEqual([
      'read a1',
      'read a1',
      'change a1',
      'read a1',
      'change a1',
    ])
    expect(of.most('change')).toBe(1)
    expect(outcomes).toEqual({
      a1: { 'scratch shared': 'changed', 'scratch conf-a1': 'changed' },
      'a1-b': { 'scratch shared': 'same', 'scratch conf-a1-b': 'changed' },
    })
    expect(code).toBe(0)
    expect((await roll(of)).plan.changes).toBe(0)
  })

  test('the one whose gate says no is taken back without what they share, nor the other’s way back', async () => {
    using of = fleet('a1')
    for (const name of ['conf-a1', 'conf-a1-b', 'shared']) of.machine('a1').write(name, 'old')
    const { code } = await roll(of, { sick: 'a1-b' })
    expect(code).toBe(1)
    const texts = ['shared', 'conf-a1', 'conf-a1-b'].map((name) => of.machine('a1').text(name))
    expect(texts).toEqual(['new', 'new', 'old'])
    expect(of.machine('a1').text('/var/lib/vestal/undo/run-1.1.sh')).toContain('>conf-a1\n')
    expect(of.machine('a1').text('/var/lib/vestal/undo-b/run-1.1.sh')).toBeUndefined()
  })

  test('the first, whose gate says no, is taken back without what they share: the other goes on with it', async () => {
    using of = fleet('a1')
    for (const name of ['conf-a1', 'conf-a1-b', 'shared']) of.machine('a1').write(name, 'old')
    const { outcomes } = await roll(of, { sick: 'a1' })
    const texts = ['shared', 'conf-a1', 'conf-a1-b'].map((name) => of.machine('a1').text(name))
    expect(texts).toEqual(['new', 'old', 'new'])
    expect(outcomes.a1).toEqual({
      'scratch shared': 'changed',
      'scratch conf-a1': 'skipped: taken back: healthy: it is slow',
    })
  })

  test('are both taken back where both must be, the last first', async () => {
    using of = fleet('a1')
    for (const name of ['conf-a1', 'conf-a1-b', 'shared']) of.machine('a1').write(name, 'old')
    await roll(of, {
      more: {
        after: ({ hosts }) => hosts.slice(0, 1).map((host) => of.gate({ ...host, name: 'far' }, 'far', no('no'))),
      },
    })
    const texts = ['shared', 'conf-a1', 'conf-a1-b'].map((name) => of.machine('a1').text(name))
    expect(texts).toEqual(['old', 'old', 'old'])
    expect(of.most('take back')).toBe(1)
  })

  test('the second is left alone where what the first did would now interrupt it', async () => {
    using of = fleet('a1')
    const { outcomes, code } = await roll(of, { tasks: ({ name }) => program(name) })
    expect(outcomes['a1-b']).toMatchObject({
      read: 'failed: was changed by this run as another host of the same machine; nothing was done',
    })
    expect(of.machine('a1').text('loaded')).toBe('a1')
    expect(code).toBe(1)
  })
})

test('a lock that is taken by one name of a machine is taken by all', async () => {
  using of = fleet('a1')
  of.machine('a1').write('/run/vestal/lock', bobsLock())
  expect((await roll(of, { options: { breakLock: ['a1-b'] } })).code).toBe(0)
  of.machine('a1').write('/run/vestal/lock', bobsLock())
  for (const name of ['conf-a1', 'conf-a1-b']) of.machine('a1').write(name, 'old')
  expect((await roll(of)).code).toBe(1)
})
