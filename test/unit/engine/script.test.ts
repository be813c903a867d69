import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { compare } from '../../../lib/engine/compare.ts'
import { frame } from '../../../lib/engine/frame.ts'
import { lockFunctions, takeLock } from '../../../lib/engine/lock.ts'
import { probeScript, readProbe } from '../../../lib/engine/probe.ts'
import { applyScript, takeBackScript } from '../../../lib/engine/script.ts'
import type { Task } from '../../../lib/model.ts'
import { type Machine, machine, shells } from './machine.ts'
import { line } from './scratch.ts'

const folder = '/var/lib/vestal'
const lock = { run: 'run-1', command: 'command-1', owner: 'ann@desk', since: '2026-01-01T00:00:00Z', break: false }

describe.each(shells)('a script in %s', (shell) => {
  let host: Machine
  beforeEach(async () => {
    host = await machine()
  })
  afterEach(() => host[Symbol.dispose]())

  const marks = frame('n0nce')
  const read = async (tasks: readonly Task[]) => {
    const { stdout } = await host.run(shell, probeScript(tasks, marks))
    return readProbe(tasks, marks, { host: 'web-1', stdout, sentAt: Date.now(), receivedAt: Date.now() })
  }
  const apply = async (tasks: readonly Task[], request: Partial<Parameters<typeof applyScript>[0]> = {}) => {
    const states = (await read(tasks))?.states
    const changes = tasks.flatMap((task) => compare(task, states?.get(`scratch ${task.key}`) ?? null) ?? [])
    const steps = changes.flatMap((change) => change.task.kind.converge(change))
    const answer = await host.run(shell, applyScript({ steps, verify: tasks, lock, lastRun: '', ...request }, marks))
    return { ...answer, events: marks.split(answer.stdout).map(({ event, detail }) => `${event} ${detail}`.trim()) }
  }

  test('reads facts and says nothing of what is absent', async () => {
    const reading = await read([line(`${folder}/a`, 'one')])
    expect(reading?.states.size).toBe(0)
    expect(reading?.facts).toMatchObject({ lastRun: '', lock: null })
    expect(reading?.facts.bootId).toMatch(/^[0-9a-f-]{36}$/)
    expect(Math.abs(reading?.facts.clockSkewMs ?? Number.NaN)).toBeLessThan(2_000)
  })

  test('makes changes in order, proves them, and has nothing left to do', async () => {
    const tasks = [line(`${folder}/a`, 'one'), line(`${folder}/b`, "two 'quoted' $(x) `y`\nline — ü")]
    const { code, events } = await apply(tasks)
    expect(code).toBe(0)
    expect(events.filter((event) => /^(step|code)/.test(event))).toEqual(['step 0', 'code 0 0', 'step 1', 'code 1 0'])
    const again = await read(tasks)
    expect(tasks.map((task) => compare(task, again?.states.get(`scratch ${task.key}`) ?? null))).toEqual([null, null])
    expect(again?.facts.lastRun).toBe('run-1')
  })

  test('takes back what was done before a step that fails, and brings back what served', async () => {
    await apply([line(`${folder}/a`, 'before')])
    const { events } = await apply(
      [
        line(`${folder}/a`, 'after'),
        line(`${folder}/new`, 'x'),
        line(`${folder}/bad`, 'x', { fail: true }),
        line(`${folder}/never`, 'x'),
      ],
      { lastRun: 'run-1' },
    )
    expect(events.filter((event) => /^(code|undone)/.test(event))).toEqual([
      'code 0 0',
      'code 1 0',
      'code 2 1',
      'undone 1 0',
      'undone 0 0',
      'undone 0 0',
      'undone 1 0',
      'undone 2 0',
    ])
    const left = await read([line(`${folder}/a`, ''), line(`${folder}/new`, ''), line(`${folder}/never`, '')])
    expect([...(left?.states ?? [])]).toEqual([[`scratch ${folder}/a`, { text: 'before' }]])
  })

  test('takes back a finished change of the same run, in reverse order, and brings back what served', async () => {
    await apply([line(`${folder}/a`, 'before')])
    const tasks = [line(`${folder}/a`, 'after'), line(`${folder}/new`, 'x')]
    const states = (await read(tasks))?.states
    const steps = tasks
      .flatMap((task) => compare(task, states?.get(`scratch ${task.key}`) ?? null) ?? [])
      .flatMap((change) => change.task.kind.converge(change))
    const mine = { steps, verify: tasks, lock: { ...lock, run: 'run-2' }, lastRun: 'run-1' }
    await host.run(shell, applyScript(mine, marks))
    expect((await read(tasks))?.states.get(`scratch ${folder}/a`)).toEqual({ text: 'after' })
    const { code, stdout } = await host.run(shell, takeBackScript({ ...mine, lastRun: 'run-2' }, marks))
    const undone = marks.split(stdout).filter(({ event }) => event === 'undone')
    expect([code, undone.map(({ detail }) => detail)]).toEqual([0, ['1 0', '0 0', '0 0', '1 0']])
    expect([...((await read(tasks))?.states ?? [])]).toEqual([[`scratch ${folder}/a`, { text: 'before' }]])
  })

  test('leaves the way back of a finished change on the host, until it is taken', async () => {
    await apply([line(`${folder}/a`, 'before')])
    await apply([line(`${folder}/a`, 'after')], { lock: { ...lock, run: 'run-2' }, lastRun: 'run-1' })
    const ways = await host.run(shell, `ls ${folder}/undo`)
    expect(ways.stdout.toString()).toBe('run-1.1.sh\nrun-2.1.sh\n')
    expect((await host.run(shell, `sh ${folder}/undo/run-2.1.sh`)).code).toBe(0)
    expect((await read([line(`${folder}/a`, '')]))?.states.get(`scratch ${folder}/a`)).toEqual({ text: 'before' })
  })

  test('leaves no way back of a change that failed, which it has taken back itself', async () => {
    await apply([line(`${folder}/a`, 'x'), line(`${folder}/bad`, 'x', { fail: true })])
    expect((await host.run(shell, `ls ${folder}/undo`)).code).not.toBe(0)
  })

  test('refuses to take back what another run has changed since', async () => {
    const tasks = [line(`${folder}/a`, 'one')]
    await apply(tasks)
    await apply([line(`${folder}/a`, 'two')], { lock: { ...lock, run: 'run-2' }, lastRun: 'run-1' })
    const { code } = await host.run(shell, takeBackScript({ steps: [], verify: tasks, lock, lastRun: 'run-1' }, marks))
    expect(code).toBe(76)
  })

  test('refuses a host that another run changed after it was read', async () => {
    await apply([line(`${folder}/a`, 'one')])
    const { code, events } = await apply([line(`${folder}/a`, 'two')], {
      lock: { ...lock, run: 'run-2' },
      lastRun: 'something else',
    })
    expect(code).toBe(76)
    expect(events).not.toContain('step 0')
  })

  test('a lock is held while its script runs, names its owner, and is nobody’s once its session is gone', async () => {
    const first = host.start(
      shell,
      applyScript({ steps: [{ title: 'wait', run: 'sleep 30' }], verify: [], lock, lastRun: '' }, marks),
    )
    await new Promise((resolve) => first.stdout?.on('data', (chunk) => chunk.includes('step 0') && resolve(undefined)))
    expect((await read([]))?.facts.lock).toEqual({ owner: 'ann@desk', run: 'run-1', since: lock.since })
    const second = await apply([line(`${folder}/b`, 'x')], {
      lock: { ...lock, run: 'run-2', owner: 'bob@lap' },
      lastRun: 'run-1',
    })
    expect(second.code).toBe(75)
    expect(second.stdout.toString()).toContain('ann@desk')
    const broken = await apply([line(`${folder}/b`, 'x')], {
      lock: { ...lock, run: 'run-3', break: true },
      lastRun: 'run-1',
    })
    expect(broken.code).toBe(0)
    // Its holder's script was ended first.
    await vi.waitFor(() => expect(first.exitCode ?? first.signalCode).not.toBeNull())
  })

  test('a lock whose session was killed outlives it only until its script has ended its step', async () => {
    const first = host.start(
      shell,
      applyScript({ steps: [{ title: 'wait', run: 'sleep 1' }], verify: [], lock, lastRun: '' }, marks),
    )
    await new Promise((resolve) => first.stdout?.on('data', (chunk) => chunk.includes('step 0') && resolve(undefined)))
    await host.run(
      shell,
      "while IFS='=' read -r name value; do if [ $name = session ]; then kill -9 ${value%% *}; fi; done </run/vestal/lock",
    )
    first.stdout?.destroy()
    const next = await apply([line(`${folder}/b`, 'x')], { lock: { ...lock, run: 'run-2' }, lastRun: 'run-1' })
    expect(next.code).toBe(0)
  })

  test.each([
    ['/proc cannot be read', 'mount -t tmpfs none /proc', '/proc cannot be read'],
    ['the lock cannot be written', 'mkdir -p /run/vestal/lock.new', '/run/vestal/lock cannot be written'],
  ])('nothing is done where %s', async (_, fault, said) => {
    await host.run(shell, fault)
    const tasks = [line(`${folder}/a`, 'x')]
    const steps = [{ title: 'step', run: `touch ${folder}/done` }]
    const { code, stderr } = await host.run(shell, applyScript({ steps, verify: tasks, lock, lastRun: '' }, marks))
    expect([code, stderr]).toEqual([1, expect.stringContaining(said)])
    expect((await host.run(shell, `ls ${folder}/done`)).code).not.toBe(0)
  })

  test('a lock is held where no program can say how old it is', async () => {
    const session = host.start(shell, `${lockFunctions}\n${takeLock(lock)}\necho taken; sleep 30`)
    await new Promise((resolve) => session.stdout?.once('data', resolve))
    // The script has ended, its session has not; and find, stat and date are not there.
    const alone = await host.run(
      shell,
      `sed -i s/^script=.*// /run/vestal/lock; stat() { return 127; }; find() { return 127; }; date() { return 127; }
${lockFunctions}
sleep() { :; }
${takeLock({ ...lock, run: 'run-2', command: 'command-2' })}`,
    )
    session.kill('SIGKILL')
    expect([alone.code, alone.stdout.toString()]).toEqual([75, 'run-1\n2026-01-01T00:00:00Z\nann@desk\n'])
  })
})
