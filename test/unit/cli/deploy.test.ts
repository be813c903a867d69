import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Outcome } from '../../../lib/model.ts'
import { word } from '../../../lib/shell.ts'
import { bobsLock } from '../engine/bobs-lock.ts'
import { type Machines, startMachines, vestal } from './machines.ts'

let machines: Machines
beforeAll(async () => {
  machines = await startMachines(['a', 'b'])
})
afterAll(() => machines[Symbol.asyncDispose]())
beforeEach(() => machines.reset())

const words = (command: string, ...more: readonly string[]) => [
  command,
  '-i',
  machines.inventory,
  '--tags',
  'base',
  ...more,
]
const TASK = 'directory /opt/vestal'
const done = (name: string) => existsSync(machines.at(name, 'opt/vestal'))
/** Its /opt is no folder that something can be made in. */
const spoil = (name: string) => writeFileSync(machines.at(name, 'opt/vestal'), 'in the way')
const statuses = (hosts: Readonly<Record<string, Readonly<Record<string, Outcome>>>> = {}) =>
  Object.fromEntries(Object.entries(hosts).map(([host, tasks]) => [host, tasks[TASK]?.status]))
const lockedByBob = (name: string) => {
  mkdirSync(machines.at(name, 'run/vestal'), { recursive: true })
  writeFileSync(machines.at(name, 'run/vestal/lock'), bobsLock())
}

describe('vestal deploy', () => {
  test('changes every host, exits 0, and has nothing left to do', async () => {
    const { code, report, events, stderr } = await vestal(words('deploy', '--json'))
    expect([code, stderr, statuses(report?.hosts)]).toEqual([0, '', { a: 'changed', b: 'changed' }])
    expect([events[0]?.event, events.at(-1)?.event]).toEqual(['run-started', 'run-ended'])
    expect([done('a'), done('b')]).toEqual([true, true])
    const again = await vestal(words('deploy', '--json'))
    expect([again.code, statuses(again.report?.hosts)]).toEqual([0, { a: 'same', b: 'same' }])
    expect(Object.values(again.report?.cost ?? {}).map(({ execs }) => execs)).toEqual([1, 1])
  })

  test('tells people what became of each host', async () => {
    const { code, stdout } = await vestal(words('deploy'))
    expect(code).toBe(0)
    expect(stdout).toMatch(/a +│ 0 +│ 1 +│ 0 +│ 0 +│ 2 /)
    expect(stdout).toMatch(/deploy done in .*: 2 changed, 0 of 0 gates passed; run \d{8}-\d{6}-deploy-[0-9a-f]{4}\n$/)
  })

  test('shows the plan first where diffs are asked for', async () => {
    const { stdout } = await vestal(words('deploy', '--diff'))
    expect(stdout.indexOf(`+ ${TASK}: is missing`)).toBeGreaterThan(0)
    expect(stdout.indexOf(`+ ${TASK}: is missing`)).toBeLessThan(stdout.indexOf('deploy done'))
  })

  test('of chosen hosts touches no other', async () => {
    const { code } = await vestal(words('deploy', '--limit', 'b', '--json'))
    expect([code, machines.scripts('a'), done('b')]).toEqual([0, 0, true])
  })

  test('exits 1 where a host cannot be reached, says why and what to do, and changes the others', async () => {
    await machines.addDeadHost('c')
    const { code, stdout } = await vestal(words('deploy'))
    expect([code, done('a'), done('b')]).toEqual([1, true, true])
    expect(stdout).toMatch(/failed c: connect: nothing listens on .*\n {2}Is sshd running/)
    expect(stdout).toContain('deploy failed in')
  })

  test('exits 1 where a step fails, and says where and why', async () => {
    spoil('a')
    const { code, report } = await vestal(words('deploy', '--json'))
    expect([code, statuses(report?.hosts)]).toEqual([1, { a: 'failed', b: 'changed' }])
    expect(report?.hosts.a?.[TASK]).toMatchObject({ why: 'a file is in its place; move it away and run again' })
    expect(readFileSync(machines.at('a', 'opt/vestal'), 'utf8')).toBe('in the way')
  })

  test('exits 1 where another run holds a host, unless its lock is broken', async () => {
    lockedByBob('a')
    const { code, stdout } = await vestal(words('deploy'))
    expect([code, done('a'), done('b')]).toEqual([1, false, true])
    expect(stdout).toMatch(
      /failed a: lock: locked by bob@lap since 2026-01-01T00:00:00Z \(run run-of-bob\)\n {2}.*--break-lock a/,
    )
    lockedByBob('a')
    expect((await vestal(words('deploy', '--break-lock', 'a'))).code).toBe(0)
    expect(done('a')).toBe(true)
  })

  test.each([
    ['no such tag', ['--tags', 'bse'], '--tags: bse: no role or task has that tag; did you mean `base`?'],
    ['no such host', ['--limit', 'd'], '--limit: d: no host or group is called that'],
    ['no such host to break a lock of', ['--break-lock', 'd'], '--break-lock: d: no host of this run is called that'],
    ['no such inventory', ['-i', '/nonexistent'], '/nonexistent: there is no such file or folder'],
    ['a word too many', ['a'], 'command line: Unknown argument: a'],
  ])('exits 2 for %s, and no machine is touched', async (_, more, what) => {
    const { code, stderr } = await vestal(['deploy', '-i', machines.inventory, ...more])
    expect([code, machines.scripts('a')]).toEqual([2, 0])
    expect(stderr).toContain(what)
    expect(stderr).toContain('no machine was touched.')
    const { stderr: json } = await vestal(['deploy', '-i', machines.inventory, ...more, '--json'])
    expect(JSON.parse(json)).toMatchObject({ error: 'input', mistakes: [{ where: what.split(':')[0] }] })
  })

  test('exits 130 once it was interrupted, with a report of what was not done', async () => {
    const { code, report, events } = await vestal(words('deploy', '--json'), ({ event }) => {
      if (event === 'planned') process.emit('SIGINT')
    })
    expect([code, report?.interrupted, statuses(report?.hosts)]).toEqual([130, true, { a: 'skipped', b: 'skipped' }])
    expect(events.map(({ event }) => event)).toContain('interrupted')
    expect([done('a'), done('b')]).toEqual([false, false])
  })

  test('interrupted while hosts are changed ends what is under way', async () => {
    const { code, report } = await vestal(words('deploy', '--json'), (event) => {
      if (event.event === 'step' && event.state === 'started' && event.host === 'a') process.emit('SIGINT')
    })
    expect([code, statuses(report?.hosts), done('a')]).toEqual([130, { a: 'changed', b: 'changed' }, true])
  })

  test('leaves a record for vestal audit', async () => {
    const { report } = await vestal(words('deploy', '--json'))
    const { code, stdout } = await vestal(['audit'])
    expect([code, stdout]).toEqual([0, expect.stringContaining(report?.run ?? '?')])
    const one = await vestal(['audit', report?.run ?? '?', '--json'])
    expect(JSON.parse(one.stdout)).toMatchObject({ report })
    const folder = `${process.env.VESTAL_RUNS}/${report?.run}`
    expect(JSON.parse(readFileSync(`${folder}/report.json`, 'utf8'))).toEqual(report)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
  })
})

describe('vestal plan', () => {
  test('tells what deploy would do, exits 0 or, where it is asked to, 3, and changes nothing', async () => {
    const { code, stdout } = await vestal(words('plan', '--json'))
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { vestal: 'plan/1', playbook: 'deploy', changes: 2 }])
    expect((await vestal(words('plan', '--exit-code'))).code).toBe(3)
    expect([done('a'), done('b')]).toEqual([false, false])
    await vestal(words('deploy'))
    const after = await vestal(words('plan', '--exit-code'))
    expect([after.code, after.stdout]).toEqual([0, 'Nothing to change.\n'])
  })

  test('exits 1 where a host cannot be reached, and plans the others', async () => {
    await machines.addDeadHost('c')
    const { code, stdout } = await vestal(words('plan', '--exit-code'))
    expect(code).toBe(1)
    expect(stdout).toMatch(/not read c: nothing listens on/)
    expect(stdout).toContain('2 changes on 2 hosts.')
  })
})

test('a playbook runs by itself with the flags of vestal deploy', async () => {
  const script = join(import.meta.dirname, '../../../playbooks/deploy.ts')
  const [, ...flags] = words('deploy', '--json')
  const ran = spawnSync(process.execPath, [script, ...flags], { encoding: 'utf8' })
  expect([ran.status, ran.stderr, done('a'), done('b')]).toEqual([0, '', true, true])
  expect(spawnSync(process.execPath, [script, ...flags, '--nope'], { encoding: 'utf8' }).status).toBe(2)
})

describe('at a terminal', () => {
  /** Types an answer at the question whether to go ahead. */
  const answering = async (answer: string) => {
    const command = [process.execPath, join(import.meta.dirname, '../../../cli/vestal.js'), ...words('deploy')]
    const child = spawn('script', ['--quiet', '--return', '--command', command.map(word).join(' '), '/dev/null'])
    let said = ''
    child.stdout.on('data', (chunk) => {
      const asked = said.includes('Go ahead?')
      said += chunk
      if (!asked && said.includes('Go ahead?')) child.stdin.write(answer)
    })
    const [code] = await once(child, 'close')
    return { code, said }
  }

  test.each([
    ['no', 'n\n'],
    ['nothing', '\n'],
    ['Ctrl-C', '\x03'],
  ])('the plan is shown, and %s to the question changes nothing', async (_, answer) => {
    const { code, said } = await answering(answer)
    expect(said).toContain('2 changes on 2 hosts.')
    expect(said).toContain('Not confirmed: nothing was changed.')
    expect([code, done('a'), done('b')]).toEqual([1, false, false])
  })

  test('yes goes ahead', async () => {
    const { code, said } = await answering('y\n')
    expect(said).toContain('deploy')
    expect([code, done('a'), done('b')]).toEqual([0, true, true])
  })
})
