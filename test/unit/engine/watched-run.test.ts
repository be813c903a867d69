import { describe, expect, test } from 'vitest'
import { HostError } from '../../../lib/errors.ts'
import type { AlertsReport, GateReport } from '../../../lib/model.ts'
import { bookOf, type Fleet, fleet, no, playOf, roleOf } from './fleet.ts'
import { line } from './scratch.ts'
import { asItBegins } from './small-machine.ts'

const alerts: AlertsReport = {
  sent: 1,
  delivered: 1,
  lost: 0,
  duplicated: 0,
  refired: 0,
  repeated: 0,
  resolvedEarly: 0,
  unresolved: 0,
  cutShort: 0,
  largestDelayMs: 0,
  longestBlackoutMs: 0,
  silenced: { sent: 0, notified: 0 },
  linksLost: 0,
  canaries: { lost: [], duplicated: [], refired: [], unresolved: [], silenced: [] },
}
const report = (name: string): GateReport => ({ name, host: 'canaries', play: 'watch', pass: true, ms: 0 })
const watch = (of: Fleet, begin: () => unknown = () => undefined) => ({
  async begin() {
    of.story.push('watch begins')
    await begin()
    of.story.push('watch has begun')
    return [report('began')]
  },
  async end() {
    of.story.push('watch ends')
    return { alerts, gates: [report('ended')] }
  },
})
const role = (key: string) => roleOf(key, [line(key, 'new')])
const all = bookOf([
  playOf('before', [role('x')], { watch: 'before' }),
  playOf('meanwhile', [role('y')], { watch: 'meanwhile' }),
  playOf('watched', [role('z')]),
  playOf('watched too', [role('w')]),
])

describe('a run that watches alerts', () => {
  test('begins after what comes before it, waits for the first canaries before what must be watched, and ends last', async () => {
    using of = fleet('a1')
    let changing = (): void => undefined
    const busy = new Promise<void>((resolve) => {
      changing = resolve
    })
    let scripts = 0
    // The second change runs while the watch begins: each waits for the other.
    of.machine('a1').at(
      'change',
      asItBegins(() => {
        scripts += 1
        if (scripts === 2) changing()
      }),
    )
    const ran = await of.run(all, { watch: watch(of, () => busy) })
    expect(of.story.slice(1)).toEqual([
      'change a1',
      'watch begins',
      'change a1',
      'watch has begun',
      'change a1',
      'change a1',
      'watch ends',
    ])
    expect(ran.report?.alerts).toEqual(alerts)
    expect(ran.report?.gates.map(({ name }) => name)).toEqual(['began', 'ended'])
    expect(ran.code).toBe(0)
  })

  test('that cannot watch changes nothing that must be watched, and does not leave a play half done', async () => {
    using of = fleet('a1')
    const fails = new HostError('a1', 'no canary arrived')
    const begin = async () => {
      throw fails
    }
    await expect(of.run(all, { watch: watch(of, begin) })).rejects.toBe(fails)
    expect(['x', 'y', 'z', 'w'].map(of.machine('a1').text)).toEqual(['new', 'new', undefined, undefined])
    expect([of.story.includes('watch ends'), of.machine('a1').links()]).toEqual([false, 0])
  })

  test('with nothing to change watches all the same', async () => {
    using of = fleet('a1')
    for (const name of 'xyzw') of.machine('a1').write(name, 'new')
    const ran = await of.run(all, { watch: watch(of) })
    expect(of.story).toEqual(['read a1', 'watch begins', 'watch has begun', 'watch ends'])
    expect(ran.report?.gates.map(({ name }) => name)).toEqual(['began', 'ended'])
  })

  test('that stops before its watch never began has nothing to end', async () => {
    using of = fleet('a1')
    const sick = roleOf('x', [line('x', 'new')], { healthy: (host) => [of.gate(host, 'healthy', no('no'))] })
    const book = bookOf([playOf('before', [sick], { watch: 'before' }), playOf('watched', [role('z')])], {
      onFailure: 'stop',
    })
    const ran = await of.run(book, { watch: watch(of) })
    expect(of.story).toEqual(['read a1', 'change a1', 'ask a1: healthy'])
    expect(ran.report?.alerts).toBeUndefined()
  })

  test('is a failed one where an alert was lost', async () => {
    using of = fleet('a1')
    const { begin } = watch(of)
    const end = async () => ({ alerts: { ...alerts, lost: 1 }, gates: [] })
    expect((await of.run(all, { watch: { begin, end } })).code).toBe(1)
  })
})
