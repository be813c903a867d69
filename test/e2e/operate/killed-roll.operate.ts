/** Rolls whose controller is killed, at ten moments: status tells what is so, and --resume goes on to the end. */
import { beforeAll, describe, expect, test } from 'vitest'
import type { RunEvent } from '../../../lib/engine/events.ts'
import { reportOf, startVestal, vestal } from '../vestal.ts'
import { fleetInventory, type Generation, MIDDLE, OLDEST, running, standing, told } from './fleet.ts'

/** Between these a fleet can go both ways: their data can be read by either. */
const ONE: Generation = { prometheus: OLDEST.prometheus, alertmanager: MIDDLE.alertmanager }
const OTHER: Generation = { prometheus: MIDDLE.prometheus, alertmanager: '0.33.1' }

interface Moment {
  readonly name: string
  after(event: RunEvent): boolean
}
const step = (host: string, title: RegExp, state: 'started' | 'done'): Moment => ({
  name: `a step ${title.source} ${state} on ${host}`,
  after: (event) => event.event === 'step' && event.host === host && event.state === state && title.test(event.title),
})
const gate = (host: string, name: RegExp, pass: boolean): Moment => ({
  name: `${host}, asked whether “${name.source}”, said ${pass ? 'yes' : 'no'}`,
  after: (event) =>
    event.event === 'gate' && event.host === host && event.verdict.pass === pass && name.test(event.name),
})
const moments: readonly Moment[] = [
  // Before all others: the releases stay on the machines.
  { name: 'a release half sent', after: (event) => event.event === 'upload' && event.sent * 2 > event.of },
  { name: 'the plan made', after: (event) => event.event === 'planned' },
  { name: 'the inventory written', after: (event) => event.event === 'inventory-written' },
  step('am-1', /^point .*current to/, 'started'),
  step('am-1', /^restart alertmanager/, 'started'),
  gate('am-1', /gossips/, false),
  step('am-2', /^restart alertmanager/, 'done'),
  gate('am-3', /gossips/, true),
  step('prom-1', /^restart prometheus/, 'started'),
  gate('prom-1', /scraped every target/, false),
]

describe('a roll whose controller is killed', () => {
  const inventory = fleetInventory(ONE)
  let at = ONE

  beforeAll(() => standing(inventory))

  test.each(moments)('after $name is finished by --resume, and no alert is lost', async (moment) => {
    const to = at === ONE ? OTHER : ONE
    at = to
    let killed = false
    const words = ['rolling-upgrade', '-i', inventory, '--json', '-y']
    const first = await startVestal([...words, '--prometheus', to.prometheus, '--alertmanager', to.alertmanager], {
      onEvent(event, { kill }) {
        if (killed || !moment.after(event)) return
        killed = true
        kill('SIGKILL')
      },
    }).ended
    expect([first.code, killed], told(first)).toEqual([null, true])

    const { instances } = JSON.parse((await vestal(['status', '-i', inventory, '--json'])).stdout) as Status
    const said = instances.filter(({ role }) => role !== 'node_exporter' && role !== 'node-exporter')
    const versions = await running()
    for (const { instance, version } of said)
      expect([instance, version?.running]).toEqual([instance, versions[instance]])

    const resumed = await vestal([...words, '--resume'])
    const report = reportOf(resumed)
    expect(resumed.code, JSON.stringify(report.stops)).toBe(0)
    expect(report.alerts).toMatchObject({ lost: 0, duplicated: 0, silenced: { notified: 0 } })
    expect(new Set(Object.values(await running()))).toEqual(new Set(Object.values(to)))
    expect(await vestal(['plan', '-i', inventory, '--exit-code'])).toMatchObject({ code: 0 })
    const nothing = await vestal([...words, '--resume'])
    expect(nothing.stderr).toContain('came to its end')
  })
})

interface Status {
  readonly instances: readonly {
    readonly instance: string
    readonly role: string
    readonly version?: { running?: string }
  }[]
}
