import { resolve } from 'node:path'
import { canaryTenant } from '../../../fleet/tenants/canary.ts'
import { type LoadedTenants, loadTenants } from '../../../fleet/tenants/load.ts'
import { type RingClient, ringClient } from '../../../fleet/tenants/ring-client.ts'
import type { Tenant, TenantBody } from '../../../fleet/tenants/tenant.ts'
import { milliseconds } from '../../../lib/duration.ts'
import { HostError, InputError } from '../../../lib/errors.ts'
import { hide } from '../../../lib/inventory/hidden.ts'
import type { Inventory, Reach } from '../../../lib/model.ts'
import { CANARY_TENANT } from '../../../roles/cortex-alertmanager/canary.ts'
import { GROUP, type Member, membersIn } from '../../../roles/cortex-alertmanager/members.ts'
import type { RingSettings } from '../../../roles/cortex-alertmanager/ring/ring.ts'

/** The ring of an inventory, as its tenants are brought to it. */
export interface TenantRing {
  readonly members: readonly Member[]
  readonly settings: RingSettings & { readonly sharded: boolean }
  /** Which of the tenants go first; undefined where that isn't said. */
  readonly canaries?: readonly string[]
  /** How long it may take until an upload is served by all: a list of tenants, one look for new configurations, and some time to load them. */
  readonly usualMs: number
  /** Its tenants as files. Throws InputError with all mistakes of all. */
  tenants(): Promise<readonly Tenant[]>
  /** The same, with those that have mistakes apart. */
  tenantsAnd(): Promise<LoadedTenants>
  /** The tenants that no file is for, by name: that of canary alerts. */
  readonly own: readonly string[]
  /** These with those that no file is for, which are made of what the ring has of them: `known`, so that it isn't asked again. */
  withOwn(tenants: readonly Tenant[], client: RingClient): Promise<AllTenants>
}
interface AllTenants {
  readonly tenants: readonly Tenant[]
  readonly known: ReadonlyMap<string, TenantBody | null>
}

/** Throws InputError where the inventory has no ring. */
export const ringOfInventory = (inventory: Inventory): TenantRing => {
  const members = membersIn(inventory)
  const [first] = members
  if (!first)
    throw new InputError([
      {
        where: 'inventory',
        what: `no host is in the group ${GROUP}`,
        fix: 'Tenants are those of a ring of Cortex Alertmanagers.',
      },
    ])
  const { vars } = first
  const {
    canary,
    tenants: { teams },
  } = vars
  const tenantsAnd = async (): Promise<LoadedTenants> => {
    const found = withoutOwn(
      await loadTenants(resolve(inventory.folder, vars.tenants.folder), {
        teams: teams && { ...teams, folder: resolve(inventory.folder, teams.folder) },
      }),
      canary.enabled,
    )
    hide(
      inventory,
      found.tenants.map(({ config }) => config),
    )
    return found
  }
  return {
    members,
    settings: {
      replicationFactor: vars.replication_factor,
      zoneAware: vars.zone !== undefined,
      sharded: vars.sharding,
    },
    canaries: vars.tenants.canaries,
    // The list is written every users_interval, and each instance keeps what it has read for as long.
    usualMs: 2 * milliseconds(vars.users_interval) + 2 * milliseconds(vars.poll_interval) + 30_000,
    tenantsAnd,
    own: canary.enabled ? [CANARY_TENANT] : [],
    async withOwn(tenants, client) {
      if (!canary.enabled) return { tenants, known: new Map() }
      const stored = await client.read(CANARY_TENANT).catch((error: unknown) => {
        // Each tenant is asked about again, and told by name.
        if (!(error instanceof HostError)) throw error
        return undefined
      })
      const tenant = canaryTenant(canary, stored ?? null)
      hide(inventory, [tenant.config])
      return {
        tenants: [...tenants, tenant].sort((one, other) => (one.name < other.name ? -1 : 1)),
        known: new Map(stored === undefined ? [] : [[CANARY_TENANT, stored]]),
      }
    },
    async tenants() {
      const { tenants, invalid } = await tenantsAnd()
      if (invalid.length > 0) throw new InputError(invalid.flatMap(({ mistakes }) => mistakes))
      return tenants
    },
  }
}

const withoutOwn = ({ tenants, invalid }: LoadedTenants, canary: boolean): LoadedTenants => {
  const taken = canary ? tenants.filter(({ name }) => name === CANARY_TENANT) : []
  return {
    tenants: tenants.filter((one) => !taken.includes(one)),
    invalid: [
      ...invalid,
      ...taken.map(({ name, file }) => ({
        name,
        mistakes: [
          {
            where: file,
            what: `the tenant ${name} is Vestal's own, for canary alerts`,
            fix: 'Choose another name, or set cortex_alertmanager.canary.enabled to false.',
          },
        ],
      })),
    ],
  }
}

/** How tenants are read and written. */
export const clientOf = ({ members }: TenantRing, reach: Reach): RingClient =>
  ringClient({ hosts: members.map(({ host }) => host), reach })
