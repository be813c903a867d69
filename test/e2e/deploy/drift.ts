import { posix } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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

describe('a drop-in of the operator’s own', () => {
  const words = ['-i', fasterFleet(), '--limit', 'node-1', '--json']
  const dropIn = '/etc/systemd/system/node_exporter.service.d/mine.conf'
  const settle = (script: string): Promise<string> =>
    onHost(ADDRESSES['node-1'], 'sh -eu', `${script}\nsystemctl daemon-reload; systemctl restart node_exporter`)

  beforeAll(() => deploy(...words))
  afterAll(() => settle(`rm -rf ${posix.dirname(dropIn)}`))

  test('that leaves the program’s flags alone is left alone', async () => {
    await settle(`mkdir -p ${posix.dirname(dropIn)}; printf '[Service]\\nNice=5\\n' >${dropIn}`)
    expect(changesOf(planOf(await vestal(['plan', ...words])))).toEqual({})
  })

  test('that starts it with other flags is named by plan and by the deploy that cannot mend it', async () => {
    await settle(`printf '[Service]\\nExecStart=\\nExecStart=/usr/local/bin/node_exporter\\n' >${dropIn}`)
    const said = `was started with other arguments: its unit is changed by ${dropIn}`
    const [change, ...more] = planOf(await vestal(['plan', ...words])).batches.flatMap(({ hosts }) =>
      hosts.flatMap(({ changes }) => changes),
    )
    expect(change).toMatchObject({ task: 'service node_exporter', why: said })
    expect(more).toEqual([])
    const failed = await vestal(['deploy', ...words])
    expect({ code: failed.code, failures: failuresOf(failed) }).toEqual({
      code: 1,
      failures: [`node-1: service node_exporter: read back after the change: ${said}`],
    })
    expect(await onHost(ADDRESSES['node-1'], `cat ${dropIn}`)).toContain('ExecStart=/usr/local/bin/node_exporter\n')
  })
})

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
