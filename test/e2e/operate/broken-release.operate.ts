import { beforeAll, describe, expect, test } from 'vitest'
import type { Ended } from '../vestal.ts'
import { vestal } from '../vestal.ts'
import { BROKEN, crashing, loner, mirrorWith, picky } from './broken-releases.ts'
import { fleetInventory, OLDEST, processes, standing, told, versionIn } from './fleet.ts'

const releases = [
  {
    fault: 'crashes at its start',
    broken: crashing,
    says: [/am-1: service alertmanager: .*out of cheese/],
  },
  {
    fault: 'starts but never joins gossip',
    broken: loner,
    says: [/am-1: Alertmanager gossips with every member of the inventory: does not see 10\.88\.0\.1[45]:9094/],
  },
  {
    fault: 'refuses a config that its own amtool accepts',
    broken: picky,
    says: [/am-1: service alertmanager: .*field repeat_interval not found/],
  },
]

describe('a roll to a release that', () => {
  let inventory = ''

  beforeAll(async () => {
    inventory = fleetInventory(OLDEST)
    await standing(inventory)
  })

  describe.each(releases)('$fault', ({ broken, says }) => {
    let before: Readonly<Record<string, string>> = {}
    let after: Readonly<Record<string, string>> = {}
    let mine = ''
    let run: Ended

    beforeAll(async () => {
      mine = fleetInventory(OLDEST, { all: { vestal: { lab: 'default', releases: mirrorWith(broken) } } })
      before = await processes()
      run = await vestal(['rolling-upgrade', '-i', mine, '-y', '--alertmanager', BROKEN])
      after = await processes()
    })

    test('takes the first node back, and says so and why in its last lines', () => {
      expect(run.code, told(run)).toBe(1)
      const lastLines = run.stdout.trimEnd().split('\n').slice(-3).join('\n')
      for (const words of says) expect(lastLines).toMatch(words)
      expect(lastLines).toContain('am-1 was taken back to what it ran before, and serves.')
      expect(lastLines).toContain('Not touched: am-2, am-3.')
      expect(after['am-1']).toContain('active')
      expect(after['am-1']).toContain('/opt/vestal/alertmanager/0.25.0/alertmanager')
    })

    // A member that stands alone tells what the others tell too, until it is taken back: Alertmanager rather tells twice than not at all.
    test('loses no alert meanwhile', () => {
      const [, sent] = /(\d+) sent, \d+ delivered, 0 lost,/.exec(run.stdout) ?? []
      expect(Number(sent), told(run)).toBeGreaterThan(2)
    })

    test('never touches the others', () => {
      const others = (all: typeof before) => Object.entries(all).filter(([name]) => name !== 'am-1')
      expect(others(after)).toEqual(others(before))
    })

    test('leaves the inventory as it was, and nothing to change', async () => {
      expect(versionIn(mine, 'alertmanager')).toBe(OLDEST.alertmanager)
      const plan = await vestal(['plan', '-i', mine, '--exit-code'])
      expect(plan, told(plan)).toMatchObject({ code: 0, stdout: 'Nothing to change.\n' })
    })
  })
})
