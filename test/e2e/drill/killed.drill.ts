/** A controller that is gone in the middle of a drill: the machines undo the harm by themselves, within the time that was armed. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../../../lib/lab/command.ts'
import { ALERTMANAGERS } from '../deploy/fleet.ts'
import { project, runs, vestal } from '../vestal.ts'
import {
  bringUp,
  drillInventory,
  drillOf,
  leftovers,
  leftoversAtConsole,
  membersSeen,
  startDrill,
  takeDown,
} from './fleet.ts'

const inventory = drillInventory()
/** Five faults at once, on machines of their own as far as there are; what they take is never the last one. */
const FIVE = join(runs, 'five.ts')
const lib = (name: string): string => JSON.stringify(join(project, 'lib/drill', name))
/** How long a machine waits at most: the drill's 8 s, and 45 s more. */
const ARMED_S = 53

beforeAll(async () => {
  writeFileSync(
    FIVE,
    `import { crashing, cutOff, filled, frozen } from ${lib('fault.ts')}
import { drill } from ${lib('scenario.ts')}
export default drill({
  name: 'five',
  summary: 'Five faults at once',
  contract: 'One Prometheus and one Alertmanager are left.',
  lasts: '8s',
  faults: ({ prometheus: [p1, p2], alertmanagers: [a1, a2, a3] }) => [
    frozen(p1.host, p1.unit),
    cutOff(p2.host, { from: [a1.address], port: a1.port, protocols: ['tcp'], both: false }, 'prom-2 does not reach am-1'),
    frozen(a1.host, a1.unit),
    crashing(a2.host, a2.unit),
    cutOff(a3.host, { from: [a1.gossip.address], port: a1.gossip.port, protocols: ['tcp', 'udp'] }, 'am-3 is cut off from am-1'),
    filled(a1.host, { folder: a1.data, title: 'am-1' }),
  ],
  allowed: { duplicates: 'freely', delay: '60s' },
})
`,
  )
  await bringUp(inventory)
})
afterAll(takeDown)

/** Nothing is left, and the Alertmanagers are one cluster. */
const isHealed = async (): Promise<readonly unknown[]> => {
  const left = await leftovers()
  return left.length > 0 ? left : membersSeen(ALERTMANAGERS).catch((error: Error) => [error.message])
}

/** From the first fault that is armed to the end of the last undo there are some ten seconds. */
const rounds = Number(process.env.VESTAL_ROUNDS ?? 4)
const moments = Array.from({ length: rounds }, (_, at) => Math.round((at * 9_000) / Math.max(1, rounds - 1)))

test.each(moments)('killed %i ms after the first undo is armed: every machine heals itself in time', async (ms) => {
  let armedAt: number | undefined
  const { ended } = startDrill(inventory, FIVE, {
    onEvent(event, running) {
      if (event.event !== 'fault' || armedAt !== undefined) return
      armedAt = Date.now()
      setTimeout(() => running.kill('SIGKILL'), ms)
    },
  })
  expect(await ended).toMatchObject({ code: null })
  const until = (armedAt ?? 0) + ARMED_S * 1000
  if (ms > 1_000 && ms < 7_000) expect(await leftovers()).not.toEqual([])
  await sleep(Math.max(0, until + 5_000 - Date.now()))
  // What was undone needs a moment to be a cluster again.
  await expect.poll(isHealed, { timeout: 60_000, interval: 1_000 }).toEqual([3, 3, 3])
  console.log(
    `killed after ${ms} ms: all healed ${Math.round((Date.now() - (armedAt ?? 0)) / 1000)} s after it was armed`,
  )
})

test('a controller that loses its network: every machine heals itself in time', async () => {
  const cut = `table inet planted { chain out { type filter hook output priority 0; ip daddr 10.88.0.0/24 tcp dport 22 drop; }; }`
  let armedAt: number | undefined
  let begun: (() => void) | undefined
  const harmed = new Promise<void>((resolve) => {
    begun = resolve
  })
  const running = startDrill(inventory, FIVE, {
    onEvent(event) {
      if (event.event !== 'fault') return
      armedAt ??= Date.now()
      if (event.state === 'begun') setTimeout(() => begun?.(), 2_000)
    },
  })
  try {
    await Promise.race([harmed, running.ended])
    await run(['nft', '-f', '-'], { input: cut })
    expect(await leftoversAtConsole()).not.toEqual([])
    await sleep(Math.max(0, (armedAt ?? 0) + ARMED_S * 1000 + 5_000 - Date.now()))
    // The undo has begun by now, and takes as long as a busy machine takes.
    await expect.poll(leftoversAtConsole, { timeout: 30_000, interval: 500 }).toEqual([])
    console.log(`all healed ${Math.round((Date.now() - (armedAt ?? 0)) / 1000)} s after it was armed`)
  } finally {
    running.kill('SIGKILL')
    await run(['nft', 'delete', 'table', 'inet', 'planted'])
  }
  await expect.poll(isHealed, { timeout: 60_000, interval: 1_000 }).toEqual([3, 3, 3])
})

test('heal undoes at once what a killed drill has left, and a drill before that is refused', async () => {
  const { ended } = startDrill(inventory, FIVE, {
    onEvent(event, running) {
      if (event.event === 'fault' && event.state === 'begun') setTimeout(() => running.kill('SIGKILL'), 3_000)
    },
  })
  await ended
  const refused = await startDrill(inventory, 'kill-prometheus').ended
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('an earlier drill is not undone there')])
  const { code, stdout } = await vestal(['drill', 'heal', '-i', inventory])
  expect([code, stdout]).toEqual([
    0,
    expect.stringContaining('am-2: undone: alertmanager of am-2 crashes again and again'),
  ])
  expect(await leftovers()).toEqual([])
  await expect.poll(isHealed, { timeout: 60_000, interval: 1_000 }).toEqual([3, 3, 3])
})

test('a change of the fleet that a killed drill has left is known to its machines, and heal takes it back', async () => {
  const { ended } = startDrill(inventory, 'scale-prometheus', {
    onEvent(event, running) {
      if (event.event === 'fault' && event.state === 'begun') setTimeout(() => running.kill('SIGKILL'), 3_000)
    },
  })
  await ended
  // What the drill had started works on to its end, and holds its locks until then.
  const refusal = async () => (await startDrill(inventory, 'kill-prometheus').ended).stderr
  await expect.poll(refusal, { timeout: 120_000, interval: 1_000 }).toContain('prom-2 leaves the fleet')
  const heal = async () => {
    const { code, stdout } = await vestal(['drill', 'heal', '-i', inventory])
    return [code, stdout]
  }
  await expect
    .poll(heal, { timeout: 180_000, interval: 1_000 })
    .toEqual([0, 'prom-1: undone: prom-2 leaves the fleet\n'])
  expect(await vestal(['plan', '-i', inventory, '--exit-code'])).toMatchObject({ code: 0 })
  expect(await vestal(['status', '-i', inventory])).toMatchObject({ code: 0 })
  expect(await leftovers()).toEqual([])
})

test('Ctrl-C undoes the harm, and says that it was interrupted', async () => {
  let asked = false
  const running = startDrill(inventory, FIVE, {
    onEvent(event, { kill }) {
      if (event.event !== 'fault' || event.state !== 'begun' || asked) return
      asked = true
      setTimeout(() => kill('SIGINT'), 2_000)
    },
  })
  const ended = await running.ended
  expect([ended.code, drillOf(ended).drill.verdict]).toEqual([130, 'interrupted'])
  expect(await leftovers()).toEqual([])
})
