import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { nobodyLeftOnNew } from '../../../../fleet/upgrade/nobody-left-behind.ts'
import { unfinishedRoll } from '../../../../fleet/upgrade/resume.ts'
import { releasedRoles } from '../../../../fleet/upgrade/settings.ts'
import type { Outcome, RunReport } from '../../../../lib/model.ts'
import { prometheus } from '../../../../roles/prometheus/role.ts'

let runs: string
beforeEach(() => {
  runs = mkdtempSync(join(tmpdir(), 'vestal-runs-'))
})
afterEach(() => rmSync(runs, { recursive: true, force: true }))

const FLEET = ['/srv/fleet']
const report = (more: Partial<RunReport> = {}): RunReport => ({
  vestal: 'report/1',
  run: 'r',
  playbook: 'rolling-upgrade',
  inventory: 'fleet',
  startedAt: '2026-01-01T00:00:00Z',
  ms: 1,
  interrupted: false,
  hosts: {},
  gates: [],
  cost: {},
  ...more,
})
/** A run's folder, with the versions it was to go to and, where it came so far, its report. */
const ran = (
  run: string,
  { version, inventory = FLEET, end }: { version?: string; inventory?: readonly string[]; end?: RunReport },
) => {
  mkdirSync(join(runs, run))
  const roll = version && { inventory, versions: { prometheus: version } }
  writeFileSync(join(runs, run, 'run.json'), JSON.stringify({ run, owner: 'ann@desk', roll }))
  if (end) writeFileSync(join(runs, run, 'report.json'), JSON.stringify(end))
}

test('goes on with the last roll of this inventory, whatever ran after it', () => {
  ran('20260101-rolling-upgrade', { version: '3.4.0' })
  ran('20260102-rolling-upgrade', { version: '3.5.0' })
  ran('20260103-rolling-upgrade', { version: '9.9.9', inventory: ['/srv/other'] })
  ran('20260104-deploy', {})
  expect(unfinishedRoll(runs, FLEET)).toEqual({
    run: '20260102-rolling-upgrade',
    wish: { inventory: FLEET, versions: { prometheus: '3.5.0' } },
  })
})

test.each([
  ['was killed', undefined],
  ['was interrupted', report({ interrupted: true })],
  ['failed', report({ hosts: { a: { x: { status: 'failed', ms: 1, why: 'no' } } } })],
])('goes on with a roll that %s', (_, end) => {
  ran('20260101-rolling-upgrade', { version: '3.5.0', end })
  expect(unfinishedRoll(runs, FLEET).run).toBe('20260101-rolling-upgrade')
})

test('a roll that came to its end is not gone on with, nor one before it', () => {
  ran('20260101-rolling-upgrade', { version: '3.4.0' })
  ran('20260102-rolling-upgrade', { version: '3.5.0', end: report() })
  expect(() => unfinishedRoll(runs, FLEET)).toThrow(
    '--resume: the last roll, 20260102-rolling-upgrade, came to its end\n  Start one: vestal rolling-upgrade',
  )
})

test.each([
  ['of another inventory', () => ran('20260101-rolling-upgrade', { version: '3.5.0', inventory: ['/srv/other'] })],
  ['at all', () => rmSync(runs, { recursive: true })],
])('says so where there is no roll %s', (_, prepare) => {
  prepare()
  expect(() => unfinishedRoll(runs, FLEET)).toThrow('this controller has no record of a roll of this inventory')
})

const released = releasedRoles([prometheus])
const CURRENT = 'symlink /opt/vestal/prometheus/current'
const changed: Outcome = { status: 'changed', ms: 1 }
const skipped: Outcome = { status: 'skipped', because: 'taken back' }
const failed: Outcome = { status: 'failed', ms: 1, why: 'no' }
test.each([
  ['a host was changed', { a: { [CURRENT]: skipped }, b: { [CURRENT]: changed } }, false],
  ['all were taken back, or never begun', { a: { [CURRENT]: skipped }, b: {} }, true],
  ['a link was lost in the middle of a change', { a: { [CURRENT]: skipped, apply: failed } }, false],
  ['a link was lost in the middle of taking back', { a: { [CURRENT]: skipped, 'take back': failed } }, false],
  ['only another program was changed', { a: { 'symlink /opt/vestal/alertmanager/current': changed } }, true],
  ['a host could not be taken back', { a: { [CURRENT]: failed } }, false],
] as const)('whether somebody is left on the new version, where %s', (_, hosts, nobody) => {
  expect(nobodyLeftOnNew(report({ hosts }), released)).toBe(nobody)
})
