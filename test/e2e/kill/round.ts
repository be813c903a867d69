/** One round: a deploy whose controller is killed, the same again at once, and proof that nothing of the first is left. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { z } from 'zod'
import type { Fleet } from '../failure/fleet.ts'
import { type Ended, onHost, type Running, startVestal, vestal } from '../vestal.ts'
import { leftovers } from './leftovers.ts'
import type { Moment } from './moments.ts'

/** What is to be in force, as the services' own APIs say it. */
export interface InForce {
  readonly cluster: string
  readonly receiver: string
  readonly prometheus: string
  readonly alertmanager: string
}

/** What the fleet's usual inventory says. */
export const firstInForce: InForce = {
  cluster: 'first',
  receiver: 'first',
  prometheus: '2.42.0',
  alertmanager: '0.25.0',
}

/** Starts a deploy and kills the process that holds its connections at this moment. Throws an Error where the run ends before. */
export const killedDeploy = async (inventory: string, moment: Moment): Promise<void> => {
  const { code, stdout, stderr } = await deployUntil(inventory, moment, ({ kill }) => kill('SIGKILL'))
  if (code !== null) throw new Error(`the deploy ended before that moment: ${stdout.slice(-2_000)}${stderr}`)
}

/** Starts a deploy and does something at this moment. Returns how it ended, once that is done too. */
export const deployUntil = async (
  inventory: string,
  { after, ms }: Moment,
  act: (running: Running) => Promise<void> | void,
): Promise<Ended> => {
  let done: Promise<void> | undefined
  const actThen = async (running: Running): Promise<void> => {
    if (ms > 0) await sleep(ms)
    await act(running)
  }
  const running = startVestal(['deploy', '-i', inventory, '--json'], {
    onEvent(event, running) {
      if (after?.(event)) done ??= actThen(running)
    },
  })
  if (!after) done = actThen(running)
  const ended = await running.ended
  if (!done) throw new Error(`the deploy ended before that moment: ${ended.stdout.slice(-2_000)}${ended.stderr}`)
  await done
  return ended
}

/** Deploys, at once and for good, and expects the whole fleet to be as the inventory says, with nothing left over. */
export const convergesNow = async (inventory: string, { monitor, node }: Fleet, wanted: InForce): Promise<void> => {
  const again = await vestal(['deploy', '-i', inventory])
  expect(again, `${again.stdout}${again.stderr}`).toMatchObject({ code: 0 })
  const plan = await vestal(['plan', '--exit-code', '-i', inventory])
  expect(plan, `${plan.stdout}${plan.stderr}`).toMatchObject({ code: 0 })
  expect(await inForce(monitor.address)).toEqual(wanted)
  for (const host of [monitor, node]) expect(await onHost(host.address, leftovers)).toBe('')
}

/** What a monitoring host's services say of themselves. */
const inForce = async (address: string): Promise<InForce> => {
  const prometheus = `http://${address}:9090/api/v1/status`
  const config = PROMETHEUS_CONFIG.parse(await get(`${prometheus}/config`))
  const build = BUILD.parse(await get(`${prometheus}/buildinfo`))
  const alertmanager = ALERTMANAGER.parse(await get(`http://${address}:9093/api/v2/status`))
  return {
    cluster: /cluster: (\S+)/.exec(config.data.yaml)?.[1] ?? '',
    receiver: /receiver: (\S+)/.exec(alertmanager.config.original)?.[1] ?? '',
    prometheus: plain(build.data.version),
    alertmanager: plain(alertmanager.versionInfo.version),
  }
}

const PROMETHEUS_CONFIG = z.object({ data: z.object({ yaml: z.string() }) })
const BUILD = z.object({ data: z.object({ version: z.string() }) })
const ALERTMANAGER = z.object({
  config: z.object({ original: z.string() }),
  versionInfo: z.object({ version: z.string() }),
})

const get = async (url: string): Promise<unknown> => (await fetch(url, { signal: AbortSignal.timeout(20_000) })).json()
/** Debian adds to upstream's version. */
const plain = (version: string): string => version.replace(/\+.*$/, '')
