/** Machines that lie in every session, all at once: each is a failure of its own, and no run ends otherwise than by its report and within its limits. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { inventoryOf } from '../deploy/inventories.ts'
import { changesOf, planOf, reportOf, vestal } from '../vestal.ts'
import { afterReading, liars, noMoreLies } from './liars.ts'
import { expectOwnEnd, type Measured, measured } from './measured.ts'
import { CHANGE_LIES, SSH_LIES } from './ssh-lies.ts'

const [liar, honest] = inject('lab').hosts
if (!liar || !honest) throw new Error('the lab has too few hosts')
/** Reading may take four minutes, and ending what does not end some seconds. */
const LONGEST_S = 330
const names = Object.keys(SSH_LIES)
const failing = names.filter((name) => SSH_LIES[name]?.fails)

const inventory = (lies: Readonly<Record<string, object>>, version = '1.5.0'): string =>
  inventoryOf({
    'hosts.yml': {
      all: {
        children: { node_exporter: { hosts: { honest: { ansible_host: honest.address }, ...lies } } },
        vars: { node_exporter: { version } },
      },
    },
  })

beforeAll(async () => {
  const deployed = await vestal(['deploy', '-i', inventory({ liar: { ansible_host: liar.address } })])
  expect(deployed.code, deployed.stdout + deployed.stderr).toBe(0)
})
afterAll(() => noMoreLies(liar))

describe(`${names.length} machines that lie, and an honest one`, () => {
  const commands = ['plan', 'status', 'check', 'deploy'] as const
  const ran = new Map<(typeof commands)[number], Measured>()
  const of = (name: (typeof commands)[number]): Measured => {
    const one = ran.get(name)
    if (!one) throw new Error(`${name} has not run`)
    return one
  }

  beforeAll(async () => {
    const runs = Object.fromEntries(Object.entries(SSH_LIES).map(([name, lie]) => [name, lie.runs]))
    const all = inventory(await liars(liar, runs, 2300))
    await Promise.all(
      commands.map(async (name) => {
        const json = name === 'deploy' ? [] : ['--json']
        ran.set(name, await measured([name, '-i', all, ...json], LONGEST_S))
      }),
    )
  })

  test.each(commands)('%s ends by its own report, within its time and its memory', (name) => {
    expectOwnEnd(of(name))
    expect(of(name).seconds).toBeLessThan(LONGEST_S)
  })

  test.each(names)('%s is what a plan says of it', (name) => {
    const { unreachable } = JSON.parse(of('plan').stdout)
    const { fails } = SSH_LIES[name] ?? {}
    if (fails) expect(unreachable[name]).toMatch(fails)
    else expect(unreachable).not.toHaveProperty([name])
  })

  test('the honest one is as it is in each', () => {
    expect(JSON.parse(of('plan').stdout).unreachable).not.toHaveProperty('honest')
    const status = JSON.parse(of('status').stdout)
    expect(status.instances.find(({ instance }: { instance: string }) => instance === 'honest')).toMatchObject({
      healthy: true,
      drift: 0,
    })
    const findings: { id: string; hosts: string[] }[] = JSON.parse(of('check').stdout).findings
    expect(findings.filter(({ id, hosts }) => hosts.includes('honest') && id !== 'open-ports')).toEqual([])
    expect(of('deploy').stdout).not.toMatch(/failed honest/)
  })

  test('each liar is named, with what it did, by the run that was to change it', () => {
    for (const name of failing) expect(of('deploy').stdout).toMatch(new RegExp(`failed ${name}: \\S+`))
  })
})

describe('machines that lie when they are changed', () => {
  test('fail, and the honest one is changed', async () => {
    const lies = Object.fromEntries(Object.entries(CHANGE_LIES).map(([name, lie]) => [name, afterReading(lie)]))
    const all = inventory(await liars(liar, lies, 2400), '1.9.0')
    const ended = await measured(['deploy', '--json', '-i', all], 300)
    expectOwnEnd(ended)
    const report = reportOf(ended)
    for (const name of Object.keys(CHANGE_LIES))
      expect(Object.values(report.hosts[name] ?? {}).map(({ status }) => status)).toContain('failed')
    expect(Object.values(report.hosts.honest ?? {}).map(({ status }) => status)).not.toContain('failed')
    const after = await vestal(['plan', '--json', '-i', all, '--limit', 'honest'])
    expect(changesOf(planOf(after))).toEqual({})
  })
})
