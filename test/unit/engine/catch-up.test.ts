import { describe, expect, test } from 'vitest'
import { HostError } from '../../../lib/errors.ts'
import type { Role, Rollout, Task } from '../../../lib/model.ts'
import { bookOf, type Fleet, fleet, no, playOf, roleOf } from './fleet.ts'
import { program } from './program.ts'
import { line } from './scratch.ts'

const TITLES = { all: 'all', first: 'first', joins: 'joins', learns: 'learns', forgets: 'forgets' }

/** A role with gates, whose hosts are given what they need once they were interrupted. */
const web = (of: Fleet, catchUp: Rollout['catchUp'], tasks: readonly Task[], sick: readonly string[] = []): Role => ({
  ...roleOf('web', tasks, {
    healthy: (host) => [of.gate(host, 'healthy', sick.includes(host.name) ? no('it is slow') : undefined)],
    serves: (host) => [of.gate(host, 'serves')],
  }),
  rollout: { titles: TITLES, batch: 1, catchUp },
})
const given =
  (of: Fleet): Rollout['catchUp'] =>
  async ({ batch, hosts }) => {
    of.story.push(`give ${batch.map(({ name }) => name)} of ${hosts.map(({ name }) => name)}`)
    return batch.map(({ name }) => ({ host: name, what: 'was given its share' }))
  }
const afterReading = ({ story }: Fleet) => story.filter((one) => !one.startsWith('read'))
const interrupting = [line('x', 'new', { interrupts: true })]

describe('a host that was interrupted', () => {
  test('is given what it would wait for, before its gates are asked and the next one goes', async () => {
    using of = fleet('a1', 'a2')
    const { events } = await of.run(bookOf([playOf('p', [web(of, given(of), interrupting)], { batch: 1 })]))
    expect(afterReading(of)).toEqual([
      'change a1',
      'give a1 of a1,a2',
      'ask a1: healthy',
      'change a2',
      'give a2 of a1,a2',
      'ask a2: healthy',
    ])
    expect(events.filter(({ event }) => event === 'caught-up')).toMatchObject([
      { host: 'a1', play: 'p', what: 'was given its share' },
      { host: 'a2', play: 'p', what: 'was given its share' },
    ])
  })

  test('and cannot be given it says so, and is left to its gates', async () => {
    using of = fleet('a1')
    const refused = async () => {
      throw new HostError('a1', 'its disk is full')
    }
    const { code, events } = await of.run(bookOf([playOf('p', [web(of, refused, interrupting)])]))
    expect(afterReading(of)).toEqual(['change a1', 'ask a1: healthy'])
    expect(events.filter(({ event }) => event === 'caught-up')).toMatchObject([
      { host: 'a1', what: 'its disk is full; its gates wait', failed: true },
    ])
    expect(code).toBe(0)
  })

  test('is given it again once it was taken back', async () => {
    using of = fleet('a1')
    of.machine('a1').write('conf', 'old')
    of.machine('a1').write('loaded', 'old')
    await of.run(bookOf([playOf('p', [web(of, given(of), program('new'), ['a1'])], { onGateFailure: 'take-back' })]))
    expect(afterReading(of)).toEqual([
      'change a1',
      'give a1 of a1',
      'ask a1: healthy',
      'take back a1',
      'give a1 of a1',
      'ask a1: serves',
    ])
  })
})

test('a host that was not interrupted is given nothing', async () => {
  using of = fleet('a1')
  await of.run(bookOf([playOf('p', [web(of, given(of), [line('x', 'new')])])]))
  expect(afterReading(of)).toEqual(['change a1', 'ask a1: healthy'])
})
