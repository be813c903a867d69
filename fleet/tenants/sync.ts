import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import pLimit from 'p-limit'
import { HostError } from '../../lib/errors.ts'
import { configHash } from '../../lib/gates/alertmanager.ts'
import { tenantHash } from '../../roles/cortex-alertmanager/ring/hash.ts'
import { type RingSettings, replicasOf, ringOf } from '../../roles/cortex-alertmanager/ring/ring.ts'
import type { RingClient } from './ring-client.ts'
import { bodyOf, type Tenant, type TenantBody } from './tenant.ts'

/** What a sync would do with a tenant. */
export interface TenantPlan {
  readonly tenant: string
  readonly action: 'same' | 'create' | 'change' | 'delete' | 'unwanted' | 'unreadable'
  readonly why?: string
}
export interface Progress {
  readonly what: string
  readonly done: number
  readonly of: number
}
interface Working {
  readonly ring: RingClient
  readonly forks: number
  readonly signal?: AbortSignal
  onProgress?(progress: Progress): void
}

interface PlanSettings {
  readonly prune: boolean
  /** Whether those without a file are named; default: where they are deleted. */
  readonly unwanted?: boolean
  /** Tenants that have a file which is wrong: they stay as they are. */
  readonly kept?: readonly string[]
  /** What the ring holds of tenants that it was asked about already; null where it has none. */
  readonly known?: ReadonlyMap<string, TenantBody | null>
}

/** Compares every tenant with what the ring holds: one request a tenant. With `prune`, one more for the names of all. */
export const planTenants = async (
  tenants: readonly Tenant[],
  { ring, forks, signal, onProgress }: Working,
  { prune, unwanted = prune, kept = [], known = new Map() }: PlanSettings,
): Promise<readonly TenantPlan[]> => {
  const limit = pLimit(forks)
  let done = 0
  const plans = await Promise.all(
    tenants.map((tenant) =>
      limit(async (): Promise<TenantPlan | undefined> => {
        if (signal?.aborted) return undefined
        const plan = await planOne(tenant, ring, known)
        onProgress?.({ what: 'compared', done: ++done, of: tenants.length })
        return plan
      }),
    ),
  )
  const wanted = new Set([...tenants.map(({ name }) => name), ...kept])
  const others = unwanted && !signal?.aborted ? (await ring.names()).filter((name) => !wanted.has(name)) : []
  return [
    ...plans.filter((plan) => plan !== undefined),
    ...others.map((tenant): TenantPlan => ({ tenant, action: prune ? 'delete' : 'unwanted' })),
  ]
}

const planOne = async (
  tenant: Tenant,
  ring: RingClient,
  known: Required<PlanSettings>['known'],
): Promise<TenantPlan> => {
  try {
    const before = known.get(tenant.name)
    const there = before === undefined ? await ring.read(tenant.name) : before
    const body = bodyOf(tenant)
    if (there === null) return { tenant: tenant.name, action: 'create' }
    const same =
      there.alertmanager_config === body.alertmanager_config &&
      isDeepStrictEqual(there.template_files, body.template_files)
    return { tenant: tenant.name, action: same ? 'same' : 'change' }
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    return { tenant: tenant.name, action: 'unreadable', why: error.message }
  }
}

/** What became of a tenant. */
export interface TenantOutcome {
  readonly tenant: string
  readonly status: 'same' | 'created' | 'changed' | 'deleted' | 'invalid' | 'refused' | 'failed' | 'skipped'
  readonly why?: string
}
interface SyncSettings {
  /** Those that go first, by name; default: the first three that change. */
  readonly canaries?: readonly string[]
  /** Asked once the canaries are uploaded: why the others must not follow, or null. */
  canariesServe(tenants: readonly Tenant[]): Promise<string | null>
}

/**
 * Brings the ring to what is planned: canaries first, and once these are served the rest, many at once. One that the program refuses is told by
 * name, and the others go on; a canary that it refuses ends it before the others.
 */
export const applyPlans = async (
  tenants: readonly Tenant[],
  plans: readonly TenantPlan[],
  working: Working,
  settings: SyncSettings,
): Promise<readonly TenantOutcome[]> => {
  const byName = new Map(tenants.map((one) => [one.name, one]))
  const changes = plans.filter(({ action }) => ['create', 'change', 'delete'].includes(action))
  const uploads = changes.filter(({ action }) => action !== 'delete')
  const chosen = settings.canaries ? uploads.filter(({ tenant }) => settings.canaries?.includes(tenant)) : []
  const canaries = chosen.length > 0 ? chosen : uploads.slice(0, CANARIES)
  const rest = changes.filter((plan) => !canaries.includes(plan))
  const untouched = plans
    .filter((plan) => !changes.includes(plan))
    .map(
      ({ tenant, action, why }): TenantOutcome =>
        action === 'unreadable' ? { tenant, status: 'failed', why } : { tenant, status: 'same' },
    )
    .filter(({ tenant }) => byName.has(tenant))
  const first = await carryOut(canaries, byName, { ...working, what: 'canaries uploaded' })
  const refused = first.find(({ status }) => status === 'refused' || status === 'failed')
  const waits =
    rest.length === 0 || working.signal?.aborted
      ? null
      : refused
        ? `the canary ${refused.tenant} was ${refused.status}: ${refused.why}`
        : await settings.canariesServe(canaries.flatMap(({ tenant }) => byName.get(tenant) ?? []))
  const others =
    waits === null
      ? await carryOut(rest, byName, { ...working, what: 'uploaded' })
      : rest.map(({ tenant }): TenantOutcome => ({ tenant, status: 'skipped', why: waits }))
  return [...untouched, ...first, ...others].sort((one, other) => (one.tenant < other.tenant ? -1 : 1))
}

const CANARIES = 3

const carryOut = async (
  plans: readonly TenantPlan[],
  byName: ReadonlyMap<string, Tenant>,
  { ring, forks, signal, onProgress, what }: Working & { readonly what: string },
): Promise<readonly TenantOutcome[]> => {
  const limit = pLimit(forks)
  let done = 0
  return Promise.all(
    plans.map(({ tenant, action }) =>
      limit(async (): Promise<TenantOutcome> => {
        if (signal?.aborted) return { tenant, status: 'skipped', why: 'interrupted' }
        try {
          const wanted = byName.get(tenant)
          if (action === 'delete' || !wanted) {
            await ring.remove(tenant)
            return { tenant, status: 'deleted' }
          }
          const why = await ring.write(tenant, bodyOf(wanted))
          if (why !== null) return { tenant, status: 'refused', why }
          return { tenant, status: action === 'create' ? 'created' : 'changed' }
        } catch (error) {
          if (!(error instanceof HostError)) throw error
          return { tenant, status: 'failed', why: error.message }
        } finally {
          onProgress?.({ what, done: ++done, of: plans.length })
        }
      }),
    ),
  )
}

/** Which instances have a tenant, and what is wrong with that. */
export interface TenantServed {
  readonly tenant: string
  readonly instances: readonly string[]
  /** null: as many instances as it has replicas, those that the ring says, serve what was uploaded. */
  readonly problem: string | null
}

/** Asks every instance once which tenants it serves, and with which configuration. */
export const servedNow = async (
  tenants: readonly Tenant[],
  ring: RingClient,
  settings: RingSettings & { readonly sharded: boolean },
): Promise<readonly TenantServed[]> => {
  const [served, members] = await Promise.all([ring.served(), ring.members()])
  const seen = members && ringOf(members, settings)
  return tenants.map((tenant) => {
    const wanted = configHash(Buffer.from(bodyOf(tenant).alertmanager_config))
    const having = [...served].filter(([, hashes]) => hashes.has(tenant.name)).map(([name]) => name)
    const outdated = [...served]
      .filter(([, hashes]) => (hashes.get(tenant.name) ?? wanted) !== wanted)
      .map(([name]) => name)
    const owners = seen
      ? replicasOf(seen, tenantHash(tenant.name))
          .map((at) => seen.members[at]?.id ?? '')
          .sort()
      : [...served.keys()].sort()
    const instances = [...having].sort()
    const problem = !isDeepStrictEqual(instances, owners)
      ? `is on ${instances.join(', ') || 'no instance'}, and belongs on ${owners.join(', ')}`
      : outdated.length > 0
        ? `has another configuration in force on ${outdated.join(', ')}`
        : null
    return { tenant: tenant.name, instances, problem }
  })
}

/** The same, asked until nothing is wrong or the time is up: instances look for new configurations from time to time. */
export const servedWithin = async (
  tenants: readonly Tenant[],
  { ring, signal, onProgress }: Working,
  { withinMs, ...settings }: RingSettings & { readonly sharded: boolean; readonly withinMs: number },
): Promise<readonly TenantServed[]> => {
  const until = Date.now() + withinMs
  for (;;) {
    const found = await servedNow(tenants, ring, settings)
    const wrong = found.filter(({ problem }) => problem !== null).length
    onProgress?.({ what: 'served', done: found.length - wrong, of: found.length })
    if (wrong === 0 || Date.now() >= until || signal?.aborted) return found
    await sleep(Math.min(2_000, Math.max(1, until - Date.now())), undefined, { signal }).catch(() => undefined)
  }
}
