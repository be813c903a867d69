import Table from 'cli-table3'
import compare from 'semver/functions/compare.js'
import { pathInForce, routingInForce } from '../../../fleet/alerting-in-force.ts'
import { InputError } from '../../../lib/errors.ts'
import type { Host } from '../../../lib/model.ts'
import { print, shown } from '../../../lib/report/print.ts'
import { labelsText } from '../../../lib/routing/cases.ts'
import type { Labels } from '../../../lib/routing/matcher.ts'
import { parseClassic, parseMatchers } from '../../../lib/routing/parse-matchers.ts'
import { receiversAt, replay, sentAs } from '../../../lib/routing/replay.ts'
import { type Router, routerOf } from '../../../lib/routing/routes.ts'
import { understood } from '../../../lib/understood.ts'
import { counted } from '../../../lib/wording.ts'
import type { RoutesFlags } from './flags.ts'
import { type Asked, alertsOf, heldBy, inGroup, keyOf, routingOf, wantedPath } from './fleet.ts'

interface Difference {
  readonly alert: Labels
  readonly firing: boolean
  readonly before: readonly string[]
  readonly after: readonly string[]
}

/**
 * Replays alerts that fire and fired through what runs now and through what the inventory wants; shows those of which others would be
 * told. Exit code 3 with differences where `--exit-code` asks for it. Throws HostError where a host cannot be asked.
 */
export const diff = async (asked: Asked, flags: Pick<RoutesFlags, 'days' | 'json' | 'exitCode'>): Promise<number> => {
  const { inventory, hosts, reach } = asked
  const [first, ...others] = inGroup(hosts, 'alertmanager')
  if (!first) throw new InputError([{ where: 'inventory', what: 'no Alertmanager among these hosts' }])
  const at = new Date()
  const before = await routerNow(asked, first)
  const after = routingOf(inventory).router
  const perHost = await Promise.all(
    inGroup(hosts, 'prometheus').map(async (host) => {
      const [path, { firing, past }] = await Promise.all([pathInForce(reach, host), alertsOf(reach, host, flags.days)])
      const sides = { before: { ...path, router: before }, after: { ...wantedPath(inventory, host), router: after } }
      const seen = (alert: Labels, isFiring: boolean) => ({
        alert: sentAs(alert, sides.before) ?? alert,
        firing: isFiring,
        ...replay(alert, sides, at),
      })
      return followed(host, () => [
        ...firing.map((alert) => seen(alert, true)),
        ...past.map((alert) => seen(alert, false)),
      ])
    }),
  )
  const known = new Map(perHost.flat().map((one) => [keyOf(one.alert), one]))
  const foreign = (await Promise.all([first, ...others].map((host) => heldBy(reach, host)))).flat()
  // What no Prometheus here sends is not relabelled on its way.
  for (const alert of foreign)
    if (!known.has(keyOf(alert)))
      known.set(keyOf(alert), {
        alert,
        firing: true,
        before: followed(first, () => receiversAt(before, alert, at)),
        after: receiversAt(after, alert, at),
      })
  const all = [...known.values()]
  const differences = all.filter((one) => one.before.join() !== one.after.join())
  tell(shown(differences), { ...flags, alerts: all.length })
  return differences.length > 0 && flags.exitCode ? 3 : 0
}

const routerNow = async ({ reach }: Asked, host: Host): Promise<Router> => {
  const { config, version } = await routingInForce(reach, host)
  return followed(host, () => routerOf(config, compare(version, '0.27.0') < 0 ? parseClassic : parseMatchers))
}

/** What runs there may be anything: what cannot be followed is that host's failure. */
const followed = <T>(host: Host, follow: () => T): T =>
  understood(host.name, 'its routes and relabelling', follow, {
    task: 'routes',
    hint: 'Compare them with the inventory by hand.',
  })

const tell = (
  differences: readonly Difference[],
  { json, alerts }: { readonly json: boolean; readonly alerts: number },
): void => {
  if (json) {
    print(JSON.stringify({ vestal: 'routes-diff/1', alerts, differences }, null, 2))
    return
  }
  const grid = new Table({
    head: ['alert', 'told now', 'told then'],
    style: { head: [], border: [], compact: true },
    wordWrap: true,
  })
  for (const { alert, firing, before, after } of differences)
    grid.push([
      `${labelsText(alert)}${firing ? '' : ' (not firing now)'}`,
      before.join('\n') || 'nobody',
      after.join('\n') || 'nobody',
    ])
  print(
    `${differences.length > 0 ? `${grid.toString()}\n` : ''}${counted(alerts, 'alert')} compared, ${differences.length} would go to someone else`,
  )
}
