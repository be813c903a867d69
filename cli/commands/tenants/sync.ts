import type { InvalidTenant } from '../../../fleet/tenants/load.ts'
import {
  applyPlans,
  type Progress,
  planTenants,
  servedWithin,
  type TenantOutcome,
  type TenantPlan,
  type TenantServed,
} from '../../../fleet/tenants/sync.ts'
import { milliseconds } from '../../../lib/duration.ts'
import { describeMistake, InputError } from '../../../lib/errors.ts'
import { missingFrom } from '../../../lib/gates/missing-from.ts'
import type { Duration } from '../../../lib/model.ts'
import { print, printError } from '../../../lib/report/print.ts'
import { stopOnSignals } from '../../../lib/signals.ts'
import { counted, listed } from '../../../lib/wording.ts'
import type { Context } from '../../context.ts'
import type { TenantsFlags } from './flags.ts'
import { clientOf, ringOfInventory } from './ring.ts'

/** `plan` and `sync`: compares the ring with the files, and brings it to them. Exit code 3 where a plan has changes, 1 where a tenant failed. */
export const syncTenants = async (context: Context, flags: TenantsFlags): Promise<number> => {
  const ring = ringOfInventory(context.inventory)
  const { tenants: written, invalid } = flags.skipInvalid
    ? await ring.tenantsAnd()
    : { tenants: await ring.tenants(), invalid: [] }
  const canaries = flags.canaries ?? ring.canaries
  const unknown = missingFrom(new Set(written.map(({ name }) => name)), new Set(canaries ?? []))
  if (unknown.length > 0)
    throw new InputError([
      { where: '--canaries', what: `no tenant is called ${listed(unknown)}`, fix: 'Name tenants of the folder.' },
    ])
  using stop = stopOnSignals(() => printError('What has begun is finished; the same command goes on from there.'))
  const client = clientOf(ring, context.pool.reach)
  const working = { ring: client, forks: flags.forks, signal: stop.stop, onProgress: progress(flags) }
  const began = Date.now()
  const { tenants, known } = await ring.withOwn(written, client)
  const plans = await planTenants(tenants, working, {
    known,
    prune: flags.prune,
    unwanted: flags.action === 'plan' || flags.prune,
  })
  if (flags.action === 'plan') {
    report(context, flags, { vestal: 'tenants-plan/1', tenants: plans, requests: client.requests() }, () =>
      planText(plans, client.requests()),
    )
    if (stop.stop.aborted) return 130
    if (plans.some(({ action }) => action === 'unreadable')) return 1
    return plans.some(({ action }) => action !== 'same' && action !== 'unwanted') ? 3 : 0
  }
  const withinMs = flags.within === '' ? ring.usualMs : milliseconds(flags.within as Duration)
  const applied = await applyPlans(tenants, plans, working, {
    canaries,
    async canariesServe(some) {
      const found = await servedWithin(some, working, { ...ring.settings, withinMs })
      const wrong = found.find(({ problem }) => problem !== null)
      return wrong ? `the canary ${wrong.tenant} ${wrong.problem}` : null
    },
  })
  const outcomes = [...invalid.map(invalidOutcome), ...applied]
  const touched = new Set(
    outcomes.filter(({ status }) => ['created', 'changed'].includes(status)).map(({ tenant }) => tenant),
  )
  const served =
    touched.size > 0 && !stop.stop.aborted
      ? await servedWithin(
          tenants.filter(({ name }) => touched.has(name)),
          working,
          { ...ring.settings, withinMs },
        )
      : []
  const unserved = served.filter(({ problem }) => problem !== null)
  const ms = Date.now() - began
  report(
    context,
    flags,
    { vestal: 'tenants-sync/1', tenants: outcomes, unserved, requests: client.requests(), ms },
    () => syncText(outcomes, unserved, { requests: client.requests(), ms }),
  )
  if (stop.stop.aborted) return 130
  return unserved.length > 0 || outcomes.some(({ status }) => BAD.includes(status)) ? 1 : 0
}

/** `verify`: every tenant is on as many instances as it has replicas, and these serve what the files say. */
export const verifyTenants = async (context: Context, flags: TenantsFlags): Promise<number> => {
  const ring = ringOfInventory(context.inventory)
  const written = await ring.tenants()
  const client = clientOf(ring, context.pool.reach)
  const { tenants } = await ring.withOwn(written, client)
  const working = { ring: client, forks: flags.forks }
  const withinMs = flags.within === '' ? 0 : milliseconds(flags.within as Duration)
  const served = await servedWithin(tenants, working, { ...ring.settings, withinMs })
  const wrong = served.filter(({ problem }) => problem !== null)
  report(context, flags, { vestal: 'tenants-verify/1', tenants: served }, () => [
    ...lines(wrong.map(({ tenant, problem }) => `${tenant} ${problem}`)),
    wrong.length === 0
      ? `${counted(served.length, 'tenant')}: each on its ${ring.settings.sharded ? Math.min(ring.settings.replicationFactor, ring.members.length) : ring.members.length} instances, with what the files say.`
      : `${wrong.length} of ${counted(served.length, 'tenant')} are not as they must be.`,
  ])
  return wrong.length === 0 ? 0 : 1
}

/** `list`: the tenants of the files and those that the ring has, and on which instances each is. */
export const listTenants = async (context: Context, flags: TenantsFlags): Promise<number> => {
  const ring = ringOfInventory(context.inventory)
  const wanted = new Set([...(await ring.tenants()).map(({ name }) => name), ...ring.own])
  const client = clientOf(ring, context.pool.reach)
  const [there, served] = await Promise.all([client.names(), client.served()])
  const names = [...new Set([...wanted, ...there])].sort()
  const on = (tenant: string) => [...served].filter(([, hashes]) => hashes.has(tenant)).map(([host]) => host)
  const rows = names.map((tenant) => ({
    tenant,
    file: wanted.has(tenant),
    stored: there.includes(tenant),
    instances: on(tenant),
  }))
  report(context, flags, { vestal: 'tenants/1', tenants: rows }, () =>
    rows.map(({ tenant, file, stored, instances }) => {
      const note = !file ? '  (no file)' : !stored ? '  (not yet in the list of the ring)' : ''
      return `${tenant}  ${instances.join(', ') || 'no instance'}${note}`
    }),
  )
  return 0
}

/** What leaves a tenant as it was. */
const BAD: readonly TenantOutcome['status'][] = ['invalid', 'refused', 'failed', 'skipped']

const invalidOutcome = ({ name, mistakes }: InvalidTenant): TenantOutcome => ({
  tenant: name,
  status: 'invalid',
  why: mistakes.map(describeMistake).join('; '),
})

/** What a program says of a configuration that it refuses may hold a secret of it. */
const report = (
  { redact, redacted }: Context,
  { json }: TenantsFlags,
  data: object,
  text: () => readonly string[],
): void => print(json ? JSON.stringify(redacted(data), null, 2) : redact(text().join('\n')))

const planText = (plans: readonly TenantPlan[], requests: number): readonly string[] => {
  const told = plans.filter(({ action }) => action !== 'same')
  return [
    ...lines(told.map(({ tenant, action, why }) => `${tenant}: ${PLANNED[action]}${why ? `: ${why}` : ''}`)),
    `${counted(plans.length - told.length, 'tenant')} as they must be, ${told.length} not; ${counted(requests, 'request')}.`,
  ]
}

const PLANNED: Readonly<Record<TenantPlan['action'], string>> = {
  same: 'as it must be',
  create: 'would be created',
  change: 'would be changed',
  delete: 'would be deleted: no file is called that',
  unwanted: 'has no file; --prune would delete it',
  unreadable: 'cannot be compared',
}

const syncText = (
  outcomes: readonly TenantOutcome[],
  unserved: readonly TenantServed[],
  { requests, ms }: { readonly requests: number; readonly ms: number },
): readonly string[] => {
  const bad = outcomes.filter(({ status }) => BAD.includes(status))
  const counts = Map.groupBy(outcomes, ({ status }) => status)
  const sum = [...counts].map(([status, some]) => `${some.length} ${status}`).join(', ')
  return [
    ...lines(bad.map(({ tenant, status, why }) => `${tenant} ${status}: ${why}`)),
    ...lines(unserved.map(({ tenant, problem }) => `${tenant} ${problem}`)),
    `${sum || 'no tenants'}; ${counted(requests, 'request')} in ${(ms / 1_000).toFixed(1)} s.`,
  ]
}

/** So many that a terminal can be read; the JSON has all. */
const lines = (all: readonly string[]): readonly string[] =>
  all.length <= 40 ? all : [...all.slice(0, 40), `… and ${all.length - 40} more; --json has all`]

/** Two lines a second at most, on standard error. */
const progress = ({ json }: TenantsFlags): ((progress: Progress) => void) => {
  let last = Date.now()
  return ({ what, done, of }) => {
    if (json || of < 50 || (done < of && Date.now() - last < 500)) return
    last = Date.now()
    printError(`${done} of ${counted(of, 'tenant')} ${what}`)
  }
}
