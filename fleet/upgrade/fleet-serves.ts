import type { Gate, PlayScope, Role } from '../../lib/model.ts'
import { rolesOn, scopeOf } from '../../lib/playbook.ts'

/** Every host of the play serves with these roles, whatever version and config it runs: asked before anything is touched. */
export const fleetServes =
  (roles: readonly Role[]) =>
  ({ hosts, inventory }: PlayScope): readonly Gate[] =>
    hosts.flatMap((host) => rolesOn(host, roles).flatMap((role) => role.serves(scopeOf(role, host, inventory))))
