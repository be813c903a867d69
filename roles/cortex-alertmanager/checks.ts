import { isDeepStrictEqual } from 'node:util'
import type { Host, RoleCheck } from '../../lib/model.ts'
import { type CortexVars, cortexOn } from './vars.ts'

/** Settings that must be the same on all, as each instance decides by them who owns what. */
const SHARED = [
  'replication_factor',
  'sharding',
  'replica_set_extension',
  'storage',
  'users_interval',
] as const satisfies readonly (keyof CortexVars)[]

/** What can be wrong with a ring that no instance shows by itself. */
export const checks: readonly RoleCheck[] = [
  {
    id: 'ring-too-small',
    severity: 'error',
    why: 'A tenant then has fewer replicas than it is to have: one machine less can take its alerts and silences along.',
    fix: 'Add instances, or lower cortex_alertmanager.replication_factor on all.',
    find: ({ hosts }) => {
      const [first] = hosts
      if (!first) return []
      const { replication_factor, sharding } = cortexOn(first)
      return sharding && hosts.length < replication_factor
        ? [
            {
              hosts: names(hosts),
              what: `the ring has ${hosts.length} instances and a replication factor of ${replication_factor}`,
            },
          ]
        : []
    },
  },
  {
    id: 'ring-settings-differ',
    severity: 'error',
    why: 'Each instance decides by its own settings which tenants it has: with other settings some tenants have no owner, or too many.',
    fix: 'Set them once, for the group cortex_alertmanager.',
    find: ({ hosts }) => {
      const [first] = hosts
      if (!first) return []
      return SHARED.flatMap((name) => {
        const other = hosts.filter(
          (host) => !isDeepStrictEqual(plain(cortexOn(host)[name]), plain(cortexOn(first)[name])),
        )
        return other.length > 0
          ? [{ hosts: [first.name, ...names(other)], what: `cortex_alertmanager.${name} is not the same` }]
          : []
      })
    },
  },
  {
    id: 'ring-zones-partial',
    severity: 'error',
    why: 'With zones on some instances only, replicas of a tenant end up in one zone, and each instance counts otherwise.',
    fix: 'Give every instance a cortex_alertmanager.zone, or none.',
    find: ({ hosts }) => {
      const without = hosts.filter((host) => cortexOn(host).zone === undefined)
      return without.length > 0 && without.length < hosts.length
        ? [{ hosts: names(without), what: 'has no zone, and others have one' }]
        : []
    },
  },
  {
    id: 'ring-zones-few',
    severity: 'warning',
    why: 'Two replicas of a tenant are then in one zone, and go down with it.',
    fix: 'Spread the instances over as many zones as a tenant has replicas.',
    find: ({ hosts }) => {
      const zones = new Set(hosts.flatMap((host) => cortexOn(host).zone ?? []))
      const [first] = hosts
      if (!first || zones.size === 0) return []
      const { replication_factor } = cortexOn(first)
      return zones.size < replication_factor
        ? [{ hosts: names(hosts), what: `there are ${zones.size} zones for ${replication_factor} replicas` }]
        : []
    },
  },
]

const names = (hosts: readonly Host[]): readonly string[] => hosts.map(({ name }) => name)

/** Secrets compare by what they show. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null))
