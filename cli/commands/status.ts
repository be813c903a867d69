import { setTimeout as sleep } from 'node:timers/promises'
import { connectionPool, type Pool } from '../../lib/engine/pool.ts'
import { lookAt } from '../../lib/health/status.ts'
import type { FleetLook } from '../../lib/health/types.ts'
import { statusText } from '../../lib/report/status.ts'
import { given } from '../../lib/signals.ts'
import { deployOf } from '../../playbooks/deploy.ts'
import { connecting } from '../connecting.ts'
import { inLab, type OpenInventory, openInventory } from '../context.ts'
import type { CommonFlags } from '../options.ts'
import { stopping } from '../stopping.ts'

/** Flags of `status`. */
export interface StatusFlags extends CommonFlags {
  readonly watch: boolean
}
const PAUSE_MS = 2_000
const CLEAR = '\x1b[H\x1b[2J'

/** Looks at the fleet once, or with `watch` until Ctrl-C. Exit code 1 where something is unhealthy in the last look. */
export const status = async (flags: StatusFlags): Promise<number> => {
  const opened = await openInventory(flags)
  const inside = await inLab(opened.hosts)
  if (inside !== null) return inside
  await using pool = connectionPool(connecting(flags))
  // Awaited here: returned as it is, it would outlive the pool.
  return flags.watch ? await watch(opened, flags, pool) : show(await look(opened, flags, pool), flags)
}

const watch = async (opened: OpenInventory, flags: StatusFlags, pool: Pool): Promise<number> => {
  using stop = stopping(() => undefined)
  for (let code = 0; ; ) {
    const fleet = await Promise.race([look(opened, flags, pool, stop.stop), given(stop.stop)])
    if (fleet) code = show(fleet, flags, process.stdout.isTTY ? CLEAR : '')
    if (fleet) await sleep(PAUSE_MS, undefined, { signal: stop.stop }).catch(() => undefined)
    if (stop.stop.aborted) return code
  }
}

const look = ({ inventory, hosts }: OpenInventory, { forks }: StatusFlags, pool: Pool, signal?: AbortSignal) =>
  lookAt(deployOf(inventory.roles), inventory, { hosts, forks, reach: pool.reach, onLost: pool.forget, signal }).catch(
    (error: unknown) => {
      if (!signal?.aborted) throw error
      return null
    },
  )

const show = (fleet: FleetLook | null, { json, watch: again }: StatusFlags, before = ''): number => {
  if (!fleet) return 0
  const text = json ? JSON.stringify(fleet, null, again ? 0 : 2) : `${before}${statusText(fleet)}`
  process.stdout.write(`${text}\n`)
  return fleet.healthy ? 0 : 1
}
