import { changesScript, forgetChangeScript, healAllScript } from '../../../lib/drill/arm.ts'
import { runOn } from '../../../lib/drill/machine.ts'
import { HostError } from '../../../lib/errors.ts'
import { powerOn } from '../../../lib/lab/faults.ts'
import { describeLab } from '../../../lib/lab/lab.ts'
import type { Host } from '../../../lib/model.ts'
import { onOneLine, print } from '../../../lib/report/print.ts'
import type { Opened } from '../../context.ts'
import { deployed } from './change.ts'

/**
 * Undoes whatever drills have left on these hosts, and says what. Where a change was left, the inventory at these paths is deployed. Returns 1 where something could
 * not be undone.
 */
export const heal = async (opened: Opened, { json, paths }: Healing): Promise<number> => {
  const powered = await switchOn(opened.hosts)
  const machines = await Promise.all(opened.hosts.map((host) => healOne(host, opened)))
  const healed = await changesTakenBack(machines, opened, paths)
  const all = healed.map((one) => ({ ...one, undone: [...(powered.get(one.host) ?? []), ...one.undone] }))
  const rows = all.map(({ changes: _, ...row }) => row)
  if (json) print(JSON.stringify({ vestal: 'drill-heal/1', hosts: opened.redacted(rows) }, null, 2))
  else for (const line of linesOf(opened.redacted(all))) print(line)
  return all.some(({ failed }) => failed !== undefined) ? 1 : 0
}

interface Healing {
  readonly json: boolean
  /** Where the inventory is. */
  readonly paths: readonly string[]
}
interface Healed {
  readonly host: string
  readonly undone: readonly string[]
  readonly failed?: string
  /** Changes of the fleet that it knows of and that were not taken back. */
  readonly changes: readonly string[]
}

const healOne = async (host: Host, { pool }: Opened): Promise<Healed> => {
  try {
    const said = await runOn(host, healAllScript, pool)
    const changes = await runOn(host, changesScript, pool)
    return { host: host.name, undone: linesIn(said), changes: linesIn(changes) }
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    return { host: host.name, undone: [], failed: error.message, changes: [] }
  }
}

const linesIn = (said: string): readonly string[] => said.split('\n').filter(Boolean)

/** The same, after a deploy where there was a change: each is told of the machine that comes first by name, as all that it touched know of it. */
const changesTakenBack = async (
  healed: readonly Healed[],
  { hosts, pool }: Opened,
  paths: readonly string[],
): Promise<readonly Healed[]> => {
  const first = new Map(healed.flatMap(({ host, changes }) => changes.map((one) => [one, host] as const)).reverse())
  const [about] = first.values()
  if (about === undefined) return healed
  try {
    await deployed(paths, about)
    await Promise.all(hosts.map((host) => runOn(host, forgetChangeScript(), pool)))
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    const failed = `${[...first.keys()].join('; ')}: ${error.message}`
    return healed.map((one) =>
      one.host === about ? { ...one, failed: [one.failed, failed].filter(Boolean).join('; ') } : one,
    )
  }
  return healed.map((one) => ({
    ...one,
    undone: [...one.undone, ...one.changes.filter((change) => first.get(change) === one.host)],
  }))
}

/** Machines of a lab that are off, switched on. */
const switchOn = async (hosts: readonly Host[]): Promise<ReadonlyMap<string, readonly string[]>> => {
  const lab = hosts[0]?.machine.lab && (process.env.VESTAL_LAB ?? hosts[0].machine.lab)
  if (!lab) return new Map()
  const off = describeLab(lab).hosts.filter(({ power }) => power === 'off')
  const ours = hosts.flatMap((host) =>
    off.filter(({ address }) => address === host.link.address).map((one) => ({ host, one })),
  )
  await Promise.all(ours.map(({ one }) => powerOn(one.name, lab)))
  return new Map(ours.map(({ host }) => [host.name, [`${host.name} had no power`]]))
}

const linesOf = (all: readonly Healed[]): readonly string[] => {
  const lines = all.flatMap(({ host, undone, failed }) => [
    ...undone.map((one) => onOneLine(`${host}: undone: ${one}`)),
    ...(failed === undefined ? [] : [onOneLine(`${host}: NOT undone: ${failed}`)]),
  ])
  return lines.length > 0 ? lines : ['Nothing was left by a drill.']
}
