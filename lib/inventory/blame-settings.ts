import { InputError } from '../errors.ts'
import type { Inventory } from '../model.ts'
import { rolesOn, scopeOf } from '../playbook.ts'
import type { Mistakes } from './mistakes.ts'
import { dotted, locate } from './schema/explain.ts'
import { positionOf } from './yaml/source.ts'
import type { Variable } from './yaml/variable.ts'

interface Blaming {
  readonly mistakes: Mistakes
  /** Each host's variables, by its name. */
  readonly variables: ReadonlyMap<string, ReadonlyMap<string, Variable>>
}

/** Blames what the roles of each host find in their settings once the whole inventory is known, at the place where it is written. */
export const blameSettings = (inventory: Inventory, { mistakes, variables }: Blaming): void => {
  for (const host of inventory.hosts)
    for (const role of rolesOn(host, inventory.roles)) {
      const variable = variables.get(host.name)?.get(role.key)
      if (!variable && role.vars.safeParse({}).error) continue
      try {
        for (const { path, ...mistake } of role.mistakes?.(scopeOf(role, host, inventory)) ?? []) {
          const place = variable && locate(variable, path)
          const at = place ? positionOf(place.source, place.node ?? place.key) : `host ${host.name}`
          mistakes.add(at, { path: variable ? dotted(variable, path) : [role.key, ...path].join('.'), ...mistake })
        }
      } catch (error) {
        if (!(error instanceof InputError)) throw error
        for (const { where, ...mistake } of error.mistakes) mistakes.add(where, mistake)
      }
    }
}
