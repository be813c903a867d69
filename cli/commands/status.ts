import { setTimeout as sleep } from 'node:timers/promises'
import type { Argv } from 'yargs'
import { alertPaths } from '../../fleet/alert-paths.ts'
import { cachedReach } from '../../lib/health/cached-reach.ts'
import { isBroken } from '../../lib/health/paths.ts'
import { fleetStatus } from '../../lib/health/status.ts'
import type { FleetStatus } from '../../lib/health/types.ts'
import { clearScreen, print } from '../../lib/report/print.ts'
import { statusText } from '../../lib/report/status.ts'
import { stopOnSignals, whenAborted } from '../../lib/signals.ts'
import { deployOf } from '../../playbooks/deploy.ts'
import { command } from '../command.ts'
import { inLab, type Opened, openContext } from '../context.ts'
import { type CommonFlags, commonOptions } from '../options.ts'

interface StatusFlags extends CommonFlags {
  readonly watch: boolean
}
const PAUSE_MS = 2_000

/** Looks at the fleet once, or with `watch` until Ctrl-C. Exit code 1 where something is unhealthy in the last look. */
const status = async (flags: StatusFlags): Promise<number> => {
  await using context = await openContext(flags)
  const inside = await inLab(context.hosts)
  if (inside !== null) return inside
  // Awaited here: returned as it is, it would outlive the links.
  return flags.watch ? await watch(context, flags) : show(context, await look(context, flags), flags)
}

const watch = async (opened: Opened, flags: StatusFlags): Promise<number> => {
  using stop = stopOnSignals(() => undefined)
  for (let code = 0; ; ) {
    const fleet = await Promise.race([look(opened, flags, stop.stop), whenAborted(stop.stop)])
    if (fleet) clearScreen()
    if (fleet) code = show(opened, fleet, flags)
    if (fleet) await sleep(PAUSE_MS, undefined, { signal: stop.stop }).catch(() => undefined)
    if (stop.stop.aborted) return code
  }
}

const look = async (
  { inventory, hosts, pool }: Opened,
  { forks }: StatusFlags,
  signal?: AbortSignal,
): Promise<FleetStatus | null> => {
  const reach = cachedReach(pool.reach)
  try {
    const [fleet, paths] = await Promise.all([
      fleetStatus(deployOf(inventory.roles), inventory, { hosts, forks, reach, onLost: pool.forget, signal }),
      alertPaths(inventory, { hosts, reach }),
    ])
    return {
      ...fleet,
      healthy: fleet.healthy && !paths.some(isBroken),
      ...(paths.length > 0 && { paths }),
    }
  } catch (error) {
    if (!signal?.aborted) throw error
    return null
  }
}

const show = (
  { redacted }: Opened,
  fleet: FleetStatus | null,
  { json, watch: again }: Pick<StatusFlags, 'json' | 'watch'>,
): number => {
  if (!fleet) return 0
  const shown = redacted(fleet)
  print(json ? JSON.stringify(shown, null, again ? 0 : 2) : statusText(shown))
  return fleet.healthy ? 0 : 1
}

export default command({
  name: 'status',
  summary: 'Ask every service whether it really serves',
  examples: ['vestal status -i inventory/ha --json'],
  options: (args: Argv) =>
    commonOptions(args).option('watch', {
      alias: 'w',
      type: 'boolean',
      default: false,
      describe: 'Look again every two seconds, until Ctrl-C',
    }),
  run: status,
})
