import { beforeAll, describe, expect, test } from 'vitest'
import { ADDRESSES } from '../deploy/fleet.ts'
import type { Ended } from '../vestal.ts'
import { onHost, reportOf, vestal } from '../vestal.ts'
import { BROKEN, crashing, loner, mirrorWith, picky } from './broken-releases.ts'
import {
  fleetInventory,
  interruptions,
  MIDDLE,
  OLDEST,
  processes,
  running,
  standing,
  told,
  versionIn,
} from './fleet.ts'

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

describe('a roll that one machine alone cannot follow', () => {
  const inventory = fleetInventory(OLDEST)
  const refusing = '/etc/systemd/system/alertmanager.service.d/refusing.conf'
  const wanted = { ...OLDEST, alertmanager: MIDDLE.alertmanager }

  beforeAll(async () => {
    await standing(inventory)
    const refuse = `[Service]\nExecStartPre=/bin/sh -c '! readlink /opt/vestal/alertmanager/current | grep ${wanted.alertmanager}'\n`
    await onHost(
      ADDRESSES['am-1'],
      `mkdir -p $(dirname ${refusing}) && cat >${refusing} && systemctl daemon-reload`,
      refuse,
    )
  })

  test('takes it back and goes on with the others where one may fail', async () => {
    const words = ['-y', '--json', '--alertmanager', wanted.alertmanager, '--max-fail', '1']
    const run = await vestal(['rolling-upgrade', '-i', inventory, ...words])
    expect(run.code, told(run)).toBe(1)
    expect(reportOf(run).alerts, told(run)).toMatchObject({ lost: 0 })
    expect(interruptions(run.events)).toEqual([['am-1'], ['am-2'], ['am-3']])
    const [old, rolled] = [OLDEST.alertmanager, wanted.alertmanager]
    expect(await running()).toMatchObject({ 'am-1': old, 'am-2': rolled, 'am-3': rolled })
    expect(versionIn(inventory, 'alertmanager')).toBe(rolled)
  })

  test('is gone on with once the machine is mended', async () => {
    await onHost(ADDRESSES['am-1'], `rm ${refusing} && systemctl daemon-reload`)
    const run = await vestal(['rolling-upgrade', '-i', inventory, '-y', '--json', '--resume'])
    expect(run.code, told(run)).toBe(0)
    expect(interruptions(run.events)).toEqual([['am-1']])
    expect(reportOf(run).alerts).toMatchObject({ lost: 0, duplicated: 0 })
    expect(await running()).toMatchObject({ 'am-1': wanted.alertmanager })
  })
})
