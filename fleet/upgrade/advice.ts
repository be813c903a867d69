import pLimit from 'p-limit'
import { HostError } from '../../lib/errors.ts'
import type { Advice, Host, Inventory, Reach } from '../../lib/model.ts'
import { advise } from './advisor.ts'
import { type RunningVersions, readRunning } from './running-versions.ts'
import { upgradeStepsOf } from './upgrade-steps.ts'

/** Looks at what these hosts run, and says what is known to break on the way to what the inventory wants. Hosts that cannot be reached are left to the plan. */
export const adviceFor = async (
  inventory: Inventory,
  hosts: readonly Host[],
  { reach, forks, allowOneWay }: { readonly reach: Reach; readonly forks: number; readonly allowOneWay: boolean },
): Promise<readonly Advice[]> => {
  const limit = pLimit(forks)
  const looked = await Promise.all(
    hosts.map((host) =>
      limit(async (): Promise<readonly (readonly [Host, RunningVersions])[]> => {
        try {
          return [[host, await readRunning(reach, host, inventory)]]
        } catch (error) {
          if (error instanceof HostError) return []
          throw error
        }
      }),
    ),
  )
  return advise(upgradeStepsOf(inventory, hosts, new Map(looked.flat())), { allowOneWay })
}
