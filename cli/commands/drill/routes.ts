import { hostname } from 'node:os'
import Table from 'cli-table3'
import { type Plan, planRoutes, planTenantRoutes, type Tried, tryRoutes } from '../../../fleet/drill/routes.ts'
import { isTenantName } from '../../../fleet/tenants/tenant.ts'
import { InputError } from '../../../lib/errors.ts'
import { didYouMean } from '../../../lib/inventory/did-you-mean.ts'
import type { GateReport, Inventory, RunReport } from '../../../lib/model.ts'
import { operator, runName } from '../../../lib/report/folder.ts'
import { exitCodeOf } from '../../../lib/report/outcome.ts'
import { paint } from '../../../lib/report/paint.ts'
import { onOneLine, print, setIn, shown } from '../../../lib/report/print.ts'
import { labelsText } from '../../../lib/routing/cases.ts'
import type { NotTried, RouteTest } from '../../../lib/routing/route-tests.ts'
import { stopOnSignals } from '../../../lib/signals.ts'
import { counted } from '../../../lib/wording.ts'
import { isAtTerminal, yes } from '../../confirm.ts'
import type { Opened } from '../../context.ts'
import { keepRun } from '../../run-folder.ts'
import { type Publishing, publish } from './publish.ts'

interface RoutesFlags {
  /** Receivers to try; none for all. */
  readonly receivers: readonly string[]
  /** The tenant of a ring whose receivers they are; left out for those of the Alertmanagers. */
  readonly tenant?: string
  readonly list: boolean
  readonly json: boolean
  readonly yes: boolean
  readonly inventory: readonly string[]
  readonly publishing: Publishing
}

/** Throws InputError where nobody of this inventory has routes like that. */
export const requireRouted = ({ hosts }: Inventory, tenant: string | undefined): void => {
  const [group, fix] =
    tenant === undefined
      ? ['alertmanager', 'Routes are those of an Alertmanager; --tenant names a tenant of a ring.']
      : ['cortex_alertmanager', 'Leave --tenant out.']
  if (!hosts.some(({ groups }) => groups.includes(group)))
    throw new InputError([{ where: 'inventory', what: `no host is in the group ${group}`, fix }])
  if (tenant === undefined || isTenantName(tenant)) return
  const what = `${JSON.stringify(tenant)} is no name of a tenant`
  throw new InputError([{ where: '--tenant', what, fix: '`vestal tenants list` tells which there are.' }])
}

/**
 * Sends a test alert to every receiver that the routes in force lead to, and tells which of them were handed it. Kept as a run. Returns its exit code: 1 where one
 * was not. Throws InputError where there is no such receiver.
 */
export const drillRoutes = async (opened: Opened, flags: RoutesFlags): Promise<number> => {
  const { tenant } = flags
  const { inventory, pool } = opened
  const all =
    tenant === undefined
      ? await planRoutes(inventory, pool.reach)
      : await planTenantRoutes(inventory, tenant, pool.reach)
  const plan = chosenOf(all, flags.receivers)
  if (flags.list) {
    tellPlan(opened.redacted(plan), flags.json)
    return 0
  }
  if (plan.tests.length === 0) {
    tellPlan(opened.redacted(plan), flags.json)
    return 1
  }
  if (!flags.json && !flags.yes && isAtTerminal()) {
    tellPlan(opened.redacted(plan), false)
    if (!(await yes(`Notify ${counted(plan.tests.length, 'receiver')} of ${opened.inventory.name} of a test?`))) {
      print('Not confirmed: nothing was done.')
      return 1
    }
  }
  return await hold(plan, opened, flags)
}

const hold = async (
  plan: Plan,
  opened: Opened,
  { json, tenant, inventory: paths, publishing }: RoutesFlags,
): Promise<number> => {
  const { inventory, pool, redact, redacted } = opened
  const run = runName('drill-routes', new Date(), Math.random())
  const owner = operator(hostname())
  const startedAt = new Date()
  using stop = stopOnSignals(() => kept.emit({ event: 'interrupted' }))
  const listen = json ? (event: object) => print(JSON.stringify(event)) : () => undefined
  const kept = keepRun({
    run,
    about: { owner, command: ['drill', 'routes', ...(tenant === undefined ? [] : ['--tenant', tenant]), ...paths] },
    redact,
    stop,
    listen,
  })
  const hosts = plan.members.map(({ host }) => host.name)
  kept.emit({ event: 'run-started', run, playbook: PLAYBOOK, inventory: inventory.name, hosts })
  const tried = await tryRoutes(plan, {
    run,
    owner,
    reach: pool.reach,
    signal: stop.stop,
  }).catch(kept.fail)
  const report: RunReport = {
    vestal: 'report/1',
    run,
    playbook: PLAYBOOK,
    inventory: inventory.name,
    startedAt: startedAt.toISOString(),
    ms: Date.now() - startedAt.getTime(),
    interrupted: stop.stop.aborted,
    hosts: {},
    gates: [...tried.map((one) => gateOf(one, startedAt)), ...plan.not.map((one) => untriedGate(one, startedAt))],
    cost: pool.cost(),
  }
  kept.emit({ event: 'run-ended', report })
  if (!json) print(triedText(redacted(tried), redacted(plan.not), run))
  kept.requireKept()
  await publish([run], publishing)
  return exitCodeOf(report)
}
const PLAYBOOK = 'drill routes'

/** A receiver as a gate of the run, so that reports, JUnit and metrics have it as they have gates. */
const gateOf = ({ receiver, integrations, result, why }: Tried, at: Date): GateReport => ({
  name: `${receiver} is handed what it is to be notified of`,
  host: integrations.join(', '),
  play: 'Receivers',
  pass: result === 'delivered',
  ...(why !== undefined && { why }),
  at: at.toISOString(),
  ms: Date.now() - at.getTime(),
})

/** Not tried is no failure, where nobody could be notified at this time, or ever. */
const untriedGate = ({ receiver, why }: NotTried, at: Date): GateReport => ({
  name: `${receiver} is not tried: ${why}`,
  host: receiver,
  play: 'Receivers',
  pass: true,
  at: at.toISOString(),
  ms: 0,
})

const chosenOf = (plan: Plan, receivers: readonly string[]): Plan => {
  if (receivers.length === 0) return plan
  const names = [...plan.tests, ...plan.not].map(({ receiver }) => receiver)
  const unknown = receivers.filter((name) => !names.includes(name))
  if (unknown.length > 0)
    throw new InputError(
      unknown.map((name) => ({
        where: 'vestal drill routes',
        what: `no route leads to a receiver ${JSON.stringify(name)}${didYouMean(name, names)}`,
        fix: '`vestal drill routes --list` lists them.',
      })),
    )
  const isWanted = ({ receiver }: { readonly receiver: string }) => receivers.includes(receiver)
  return { ...plan, tests: plan.tests.filter(isWanted), not: plan.not.filter(isWanted) }
}

const tellPlan = (plan: Plan, json: boolean): void => {
  const { tests, not } = shown({ tests: plan.tests, not: plan.not })
  if (json) print(JSON.stringify({ vestal: 'drill-routes/1', tests, not }, null, 2))
  else {
    const table = tableOf(['receiver', 'notified by', 'with', 'beside'])
    for (const one of tests) table.push([...startOf(one), labelsText(one.labels), besideOf(one).join('\n')])
    print([...(tests.length > 0 ? [table.toString()] : []), ...not.map(notText)].join('\n'))
  }
}

const STYLE = { delivered: 'green', failed: 'red', unclear: 'yellow', suppressed: 'yellow' } as const

const triedText = (all: readonly Tried[], not: readonly NotTried[], run: string): string => {
  const tried = shown(all)
  const table = tableOf(['receiver', 'notified by', 'result'])
  for (const one of tried) table.push([...startOf(one), paint(STYLE[one.result], one.result)])
  const odd = tried.flatMap(({ receiver, result, why }) =>
    why === undefined ? [] : [`${paint(STYLE[result], result)} ${setIn(`${receiver}: ${why}`)}`],
  )
  const delivered = tried.filter(({ result }) => result === 'delivered').length
  return [
    table.toString(),
    ...odd,
    ...shown(not).map(notText),
    `${delivered} of ${counted(tried.length, 'receiver')} handed a test; run ${run}`,
  ].join('\n')
}

const tableOf = (head: string[]) => new Table({ head, style: { head: [], border: [], compact: true }, wordWrap: true })
const startOf = ({ receiver, integrations }: RouteTest): [string, string] => [receiver, integrations.join(', ')]
const besideOf = ({ receiver, told }: RouteTest): readonly string[] => told.filter((one) => one !== receiver)
const notText = ({ receiver, why }: NotTried): string => onOneLine(`${receiver} is not tried: ${why}`)
