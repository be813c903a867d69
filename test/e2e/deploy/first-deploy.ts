import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import type { FleetStatus } from '../../../lib/health/types.ts'
import type { RunReport } from '../../../lib/model.ts'
import { changesOf, planOf, reportOf, resetHost, runs, vestal } from '../vestal.ts'
import { changedPaths, type Snapshot, snapshot } from './snapshot.ts'

/** Each example inventory as it stands in the project, with the hosts it has in the lab. */
const EXAMPLES = [
  { example: 'single-site', hosts: { monitor: '10.88.0.11', node01: '10.88.0.12', node02: '10.88.0.13' } },
  {
    example: 'ha',
    hosts: {
      'prom-1': '10.88.0.11',
      'prom-2': '10.88.0.12',
      'am-1': '10.88.0.13',
      'am-2': '10.88.0.14',
      'am-3': '10.88.0.15',
      'node-1': '10.88.0.16',
    },
  },
] as const

describe.each(EXAMPLES)('inventory/$example on fresh machines', ({ example, hosts }) => {
  const inventory = `inventory/${example}`
  const addresses = Object.values(hosts)
  const snapshots = (): Promise<readonly Snapshot[]> => Promise.all(addresses.map(snapshot))

  beforeAll(async () => {
    await Promise.all(inject('lab').hosts.map(({ address }) => resetHost(address)))
  })

  /** Runs something and expects that no machine is different afterwards. */
  const touchingNothing = async <T>(run: () => Promise<T>): Promise<T> => {
    const before = await snapshots()
    const result = await run()
    const after = await snapshots()
    for (const [index, host] of Object.keys(hosts).entries()) {
      const [was, is] = [before[index], after[index]]
      if (!was || !is) throw new Error(`${host} was not looked at`)
      expect({ host, changed: changedPaths(was, is) }).toEqual({ host, changed: [] })
      expect(is.etc).toEqual(was.etc)
      expect(is.processes).toEqual(was.processes)
      expect(is.services).toEqual(was.services)
    }
    return result
  }

  test('plan names everything that is missing on every machine, and changes nothing there', async () => {
    const { code, stdout } = await touchingNothing(() => vestal(['plan', '-i', inventory, '--exit-code', '--json']))
    expect(code).toBe(3)
    const plan = JSON.parse(stdout)
    expect(Object.keys(changesOf(plan)).sort()).toEqual(Object.keys(hosts).sort())
    for (const tasks of Object.values(changesOf(plan))) expect(tasks).toContain('service node_exporter')
  })

  test('the playbook, run by zx, brings them to what the inventory says', async () => {
    const { code, stdout, stderr } = await vestal(['-i', inventory], {
      program: ['npx', 'zx', 'playbooks/deploy.ts'],
    })
    expect({ code, said: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, said: '' })
    const { hosts: outcomes, gates } = lastReport(stdout)
    expect(Object.keys(outcomes).sort()).toEqual(Object.keys(hosts).sort())
    for (const tasks of Object.values(outcomes)) {
      // Of exporters that the inventory no longer names there are none on a fresh machine.
      const made = Object.entries(tasks).filter(([task]) => !task.startsWith('units '))
      expect(new Set(made.map(([, { status }]) => status))).toEqual(new Set(['changed']))
    }
    expect(gates.length).toBeGreaterThanOrEqual(addresses.length)
  })

  test('plan then finds nothing, and still changes nothing', async () => {
    const plan = await touchingNothing(() => vestal(['plan', '-i', inventory, '--exit-code', '--json']))
    expect({ code: plan.code, changes: changesOf(planOf(plan)) }).toEqual({ code: 0, changes: {} })
  })

  test('status finds everything healthy, in its version, and nothing left to do', async () => {
    const { code, stdout } = await touchingNothing(() => vestal(['status', '-i', inventory, '--json']))
    const { instances, notes, hosts: looks } = JSON.parse(stdout) as FleetStatus
    expect({ code, notes, why: instances.flatMap(({ failing }) => failing) }).toEqual({ code: 0, notes: [], why: [] })
    expect(Object.keys(looks)).toEqual(Object.keys(hosts))
    for (const one of instances) {
      expect(one).toMatchObject({ healthy: true, service: 'running', config: { inForce: true }, drift: 0 })
      expect(one.version?.running).toBe(one.version?.disk)
    }
  })

  test('check has nothing to say but that a single machine is one', async () => {
    const { code, stdout } = await touchingNothing(() => vestal(['check', '-i', inventory, '--json']))
    const ids = (JSON.parse(stdout) as { findings: readonly { id: string }[] }).findings
      .map(({ id }) => id)
      .filter((id) => id !== 'open-ports')
    expect({ code, ids }).toEqual({ code: 0, ids: example === 'ha' ? [] : ['replica-alone', 'alertmanager-alone'] })
  })

  test('a second deploy asks each machine once and touches nothing', async () => {
    const again = await touchingNothing(() => vestal(['deploy', '-i', inventory, '--json']))
    expect(again.code).toBe(0)
    const { cost, hosts: outcomes } = reportOf(again)
    for (const tasks of Object.values(outcomes))
      expect(new Set(Object.values(tasks).map(({ status }) => status))).toEqual(new Set(['same']))
    expect(Object.fromEntries(Object.entries(cost).map(([host, { execs }]) => [host, execs]))).toEqual(
      Object.fromEntries(Object.keys(hosts).map((host) => [host, 1])),
    )
  })
})

/** The report of the run that the last line for people names. */
const lastReport = (stdout: string): RunReport => {
  const run = /run (\S+)\n$/.exec(stdout)?.[1] ?? ''
  return JSON.parse(readFileSync(join(runs, run, 'report.json'), 'utf8'))
}
