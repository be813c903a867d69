import { posix } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { changesOf, type Ended, onHost, planOf, vestal } from '../vestal.ts'
import { type Drift, ROUNDS } from './drifts.ts'
import { ADDRESSES, deploy, failuresOf, fasterFleet } from './fleet.ts'
import { changedPaths, type Snapshot, snapshot } from './snapshot.ts'

describe.each(ROUNDS.map((drifts, index) => ({ round: index + 1, drifts })))(
  'changes made by hand, round $round',
  ({ drifts }) => {
    let found: Readonly<Record<string, readonly string[]>> = {}
    let mended: Ended
    let after: Ended
    const states = new Map<Drift, { readonly broken: Snapshot; readonly whole: Snapshot }>()

    beforeAll(async () => {
      const inventory = fasterFleet()
      await deploy('-i', inventory)
      await Promise.all(drifts.map(({ on, byHand }) => onHost(ADDRESSES[on], 'sh -eu', byHand)))
      const broken = await Promise.all(drifts.map(({ on }) => snapshot(ADDRESSES[on])))
      found = changesOf(planOf(await vestal(['plan', '-i', inventory, '--json'])))
      mended = await vestal(['deploy', '-i', inventory, '--json'])
      const whole = await Promise.all(drifts.map(({ on }) => snapshot(ADDRESSES[on])))
      for (const [index, drift] of drifts.entries()) {
        const [was, is] = [broken[index], whole[index]]
        if (was && is) states.set(drift, { broken: was, whole: is })
      }
      after = await vestal(['plan', '-i', inventory, '--exit-code'])
    })

    test.each(drifts)('$what is found by plan, and nothing else', ({ on, found: expected }) => {
      expect(found[on] ?? []).toEqual(expected)
    })

    test('all of it is mended by one deploy, after which plan finds nothing', () => {
      expect({ code: mended.code, failures: failuresOf(mended) }).toEqual({ code: 0, failures: [] })
      expect(after).toMatchObject({ code: 0, stdout: 'Nothing to change.\n' })
    })

    test.each(drifts)('$what is mended, touching only that', (drift) => {
      const state = states.get(drift)
      if (!state) throw new Error('the host was not looked at')
      const foreign = changedPaths(state.broken, state.whole).filter(
        (path) => !NOTES.some((own) => path === own || path.startsWith(`${own}/`)) && !belongsTo(drift, path),
      )
      expect(foreign).toEqual([])
      const restarted = Object.keys(state.whole.services).filter(
        (name) => state.whole.services[name] !== state.broken.services[name],
      )
      expect(restarted).toEqual(drift.restarts ? [drift.restarts] : [])
    })
  },
)

/** Where Vestal writes down what it did on a host, and where systemd gives a starting service folders of its own. */
const NOTES = ['/var/lib', '/var/lib/vestal', '/run/vestal', '/tmp', '/var/tmp']

/** Whether a path is the task's own, or the folder that its name stands in. */
const belongsTo = ({ found }: Drift, path: string): boolean =>
  found.some((task) => {
    const [kind, name = '', version] = task.split(' ')
    if (kind === 'unit') return within(path, `/etc/systemd/system/${name}`)
    if (kind === 'service')
      return path.startsWith('/etc/systemd/system') && (path.endsWith('.wants') || path.endsWith(`${name}.service`))
    if (kind === 'release') return path === `/opt/vestal/${name}` || path.startsWith(`/opt/vestal/${name}/${version}`)
    if (kind === 'directory') return path === name || posix.dirname(path) === name
    return within(path, name)
  })

const within = (path: string, name: string): boolean => path === name || path === posix.dirname(name)
