import { healAllScript } from '../../../lib/drill/arm.ts'
import { runOn } from '../../../lib/drill/machine.ts'
import { HostError } from '../../../lib/errors.ts'
import { powerOn } from '../../../lib/lab/faults.ts'
import { describeLab } from '../../../lib/lab/lab.ts'
import type { Host } from '../../../lib/model.ts'
import { onOneLine, print } from '../../../lib/report/print.ts'
import type { Opened } from '../../context.ts'

/** Undoes whatever drills have left on these hosts, and says what. Returns 1 where something could not be undone. */
export const heal = async (opened: Opened, json: boolean): Promise<number> => {
  const powered = await switchOn(opened.hosts)
  const healed = await Promise.all(opened.hosts.map((host) => healOne(host, opened)))
  const all = healed.map((one) => ({ ...one, undone: [...(powered.get(one.host) ?? []), ...one.undone] }))
  if (json) print(JSON.stringify({ vestal: 'drill-heal/1', hosts: opened.redacted(all) }, null, 2))
  else for (const line of linesOf(opened.redacted(all))) print(line)
  return all.some(({ failed }) => failed !== undefined) ? 1 : 0
}

interface Healed {
  readonly host: string
  readonly undone: readonly string[]
  readonly failed?: string
}

const healOne = async (host: Host, { pool }: Opened): Promise<Healed> => {
  try {
    const said = await runOn(host, healAllScript, pool)
    return { host: host.name, undone: said.split('\n').filter(Boolean) }
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    return { host: host.name, undone: [], failed: error.message }
  }
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
