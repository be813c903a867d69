/** What is read of a host where another run is at work. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { frame } from '../../../lib/engine/frame.ts'
import { readHost } from '../../../lib/engine/read.ts'
import { applyScript } from '../../../lib/engine/script.ts'
import type { Connection, Lock } from '../../../lib/model.ts'
import { hostWith } from '../connection/host.ts'
import { type Machine, machine, shells } from './machine.ts'
import { line } from './scratch.ts'

const folder = '/var/lib/vestal'
const lock = { run: 'run-1', command: 'command-1', owner: 'ann@desk', since: '2026-01-01T00:00:00Z', break: false }
const held: Lock = { run: 'run-1', owner: 'ann@desk', since: '2026-01-01T00:00:00Z' }
const arch = process.arch === 'arm64' ? 'arm64' : 'amd64'
const marks = frame('n0nce')

describe.each(shells)('a host where another run is at work, read by %s', (shell) => {
  let host: Machine
  let execs: number
  beforeEach(async () => {
    host = await machine()
    execs = 0
  })
  afterEach(() => host[Symbol.dispose]())

  const connection: Pick<Connection, 'host' | 'exec'> = {
    host: { ...hostWith({ via: 'local' }), name: 'node', machine: { releases: '', keepReleases: 3, arch } },
    exec: async (script, options) => {
      execs += 1
      const ran = await host.run(shell, script, options)
      return { ...ran, code: ran.code ?? 1 }
    },
  }
  const read = (settled?: Parameters<typeof readHost>[2]) =>
    readHost(connection as Connection, [line(`${folder}/a`, '')], settled)
  const sh = (script: string) => host.run(shell, script)

  /** A run whose step goes on until `go` is there, and writes `a` then; its session is killed meanwhile. */
  const killedRun = async (): Promise<void> => {
    const step = { title: 'wait', run: `while [ ! -e ${folder}/go ]; do sleep 0.05; done; echo late >${folder}/a` }
    const first = host.start(shell, applyScript({ steps: [step], verify: [], lock, lastRun: '' }, marks))
    await new Promise((resolve) => first.stdout?.on('data', (chunk) => chunk.includes('step 0') && resolve(undefined)))
    await sh(
      "while IFS='=' read -r name value; do [ $name != session ] || kill -9 ${value%% *}; done </run/vestal/lock",
    )
    first.stdout?.destroy()
  }
  const go = () => sh(`touch ${folder}/go`)

  test('is read at once, as it stands, where nothing else is asked', async () => {
    await killedRun()
    const { facts, states } = await read()
    expect([facts.lock, states.size]).toEqual([held, 0])
    await go()
  })

  test('is read when the script has ended, in the same exec, and whom that waits for is told first', async () => {
    await killedRun()
    const told: Lock[] = []
    const onLocked = (holder: Lock) => {
      told.push(holder)
      void go()
    }
    const { facts, states } = await read({ settled: { onLocked } })
    expect(told).toEqual([held])
    expect([facts.lock, facts.lastRun, execs]).toEqual([null, 'run-1', 1])
    expect([...states]).toEqual([[`scratch ${folder}/a`, { text: 'late' }]])
  })

  test('is not read where the script does not end in time; who holds it, and what to do, is said', async () => {
    await killedRun()
    const told: Lock[] = []
    await expect(read({ settled: { onLocked: (holder) => told.push(holder), tries: 2 } })).rejects.toMatchObject({
      name: 'HostError',
      host: 'node',
      task: 'lock',
      message: 'locked by ann@desk since 2026-01-01T00:00:00Z (run run-1)',
      hint: 'Wait for that run to end, or take the lock with --break-lock node.',
    })
    expect(told).toEqual([held])
    await go()
  })

  test('is read at once where only the session holds it, or nobody', async () => {
    const onLocked = () => expect.unreachable()
    expect((await read({ settled: { onLocked } })).facts.lock).toBeNull()
    await sh(
      `printf 'run=run-1\\nowner=ann@desk\\nsince=${held.since}\\nsession=1 %s\\nscript=999999999 1\\n' "$(sed 's/.*) //' /proc/1/stat | cut -d ' ' -f 20)" >/run/vestal/lock; touch -d "@$(date +%s)" /run/vestal/lock`,
    )
    expect((await read({ settled: { onLocked } })).facts.lock).toEqual(held)
  })

  test('is read at once where the script is a zombie, which its parent is slow to bury', async () => {
    // It ends only when its parent is a program that never asks for the end of a child.
    const child = 'until grep -q sleep /proc/$PPID/comm; do sleep 0.01; done'
    const parent = host.start(shell, `sh -c '${child}' & echo "zombie $!"; exec sleep 60`)
    const pid = await new Promise<string>((resolve) => {
      let said = ''
      parent.stdout?.on('data', (chunk) => {
        said += chunk
        const found = /zombie (\d+)\n/.exec(said)?.[1]
        if (found) resolve(found)
      })
    })
    await sh(`until grep -q ') Z ' /proc/${pid}/stat; do sleep 0.05; done
printf 'run=run-1\\nowner=ann@desk\\nsince=${held.since}\\nsession=1 1\\nscript=${pid} %s\\n' "$(cut -d ' ' -f 22 /proc/${pid}/stat)" >/run/vestal/lock`)
    const { facts } = await read({ settled: { onLocked: () => expect.unreachable() } })
    expect(facts.lock).toBeNull()
    parent.kill('SIGKILL')
  })
})
