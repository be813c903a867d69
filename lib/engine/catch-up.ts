import { HostError } from '../errors.ts'
import type { Play } from '../model.ts'
import { rolesOn } from '../playbook.ts'
import type { RunContext } from './context.ts'
import type { PlannedHost } from './plan.ts'

/** Lets the roles of hosts that were interrupted give them what they would else wait for. What can't be given, the gates wait for. */
export const catchUp = async (
  { inventory, options, pool }: RunContext,
  play: Play,
  planned: readonly PlannedHost[],
): Promise<void> => {
  await Promise.all(
    play.roles.map(async (role) => {
      const hosts = planned.map(({ work }) => work.host).filter((host) => rolesOn(host, [role]).length > 0)
      if (!role.rollout?.catchUp || hosts.length === 0) return
      const scope = { inventory, batch: hosts, hosts: inventory.hosts }
      try {
        for (const { host, what } of await role.rollout.catchUp(scope, pool.ask, options.stop))
          options.emit({ event: 'caught-up', host, play: play.name, what })
      } catch (error) {
        // As with a gate: whatever it stumbles over in what a host says, the run goes on to its own end.
        const host = error instanceof HostError ? error.host : (hosts[0]?.name ?? '')
        const why = error instanceof Error ? error.message : String(error)
        options.emit({ event: 'caught-up', host, play: play.name, what: `${why}; its gates wait`, failed: true })
      }
    }),
  )
}
