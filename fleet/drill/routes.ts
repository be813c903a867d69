import { setTimeout as sleep } from 'node:timers/promises'
import compare from 'semver/functions/compare.js'
import { answered } from '../../lib/answered.ts'
import { alertsOf, postAlerts } from '../../lib/api/alertmanager.ts'
import { ask, type Endpoint } from '../../lib/api/endpoint.ts'
import { firstOf } from '../../lib/api/first-of.ts'
import { milliseconds } from '../../lib/duration.ts'
import { HostError } from '../../lib/errors.ts'
import { samplesOf } from '../../lib/gates/series.ts'
import { duration } from '../../lib/inventory/schema/fields.ts'
import type { Host, Inventory, Reach } from '../../lib/model.ts'
import { endpointOf } from '../../lib/program/web.ts'
import { withOwner } from '../../lib/routing/ownership.ts'
import { parseClassic, parseMatchers } from '../../lib/routing/parse-matchers.ts'
import { type NotTried, type RouteTest, routeTests, TEST_LABEL } from '../../lib/routing/route-tests.ts'
import { routerOf } from '../../lib/routing/routes.ts'
import { understood } from '../../lib/understood.ts'
import { CANARY_RECEIVER } from '../../roles/alertmanager/canary.ts'
import { alertmanager } from '../../roles/alertmanager/role.ts'
import { teamRouting } from '../../roles/alertmanager/teams.ts'
import { metricsOf, endpointOf as ringEndpointOf, type Sample } from '../../roles/cortex-alertmanager/api.ts'
import { membersIn } from '../../roles/cortex-alertmanager/members.ts'
import { PREFIX } from '../../roles/cortex-alertmanager/vars.ts'
import { routingAt, routingInForce } from '../alerting-in-force.ts'

/** What is to be tried, by the configuration that runs. */
export interface Plan {
  readonly members: readonly Member[]
  /** How long members wait for each other to notify, all together. Milliseconds. */
  readonly peerWaitMs: number
  readonly tests: readonly RouteTest[]
  readonly not: readonly NotTried[]
}
interface Member {
  readonly host: Host
  readonly endpoint: Endpoint
  /** Its systemd unit, in whose journal it says what failed; of what it says, the lines that have this. */
  readonly unit: string
  readonly marked?: string
  /** What it has counted by these names, of whoever is notified here. Throws HostError where it can't be had. */
  counted(reach: Reach, names: readonly string[]): Promise<readonly Sample[]>
}
/** What became of one test. */
export interface Tried extends RouteTest {
  /** `unclear`: nobody says that it failed, and yet less was handed over than there was. */
  readonly result: 'delivered' | 'failed' | 'unclear' | 'suppressed'
  readonly why?: string
}

/** A test for every receiver of the routes in force. Throws HostError where the first Alertmanager doesn't answer. */
export const planRoutes = async (inventory: Inventory, reach: Reach): Promise<Plan> => {
  const hosts = inventory.hosts.filter(({ groups }) => groups.includes('alertmanager'))
  const members = hosts.map((host): Member => {
    const endpoint = endpointOf(host, alertmanager.varsOf(host))
    return {
      host,
      endpoint,
      unit: 'alertmanager',
      async counted(asked, names) {
        const { body } = await ask(asked, endpoint, '/metrics')
        return names.flatMap((name) => samplesOf(body, `alertmanager_${name}`).map((one) => ({ ...one, name })))
      },
    }
  })
  const [first] = hosts
  const peers = hosts.map((host) => milliseconds(alertmanager.varsOf(host).cluster.peer_timeout))
  const peerWaitMs = (members.length - 1) * Math.max(0, ...peers)
  if (!first) return { members, peerWaitMs: 0, tests: [], not: [] }
  const { config, version } = await routingInForce(reach, first)
  const parse = compare(version, '0.27.0') < 0 ? parseClassic : parseMatchers
  const { cases, steps } = teamRouting(inventory, first, alertmanager.varsOf(first))
  return understood(first.name, 'its routes', () => ({
    members,
    peerWaitMs,
    ...routeTests({
      route: config.route,
      receivers: config.receivers ?? [],
      router: routerOf(config, parse),
      parse,
      known: cases.map(({ alert }) => withOwner(alert, steps)),
      at: new Date(),
      leave,
    }),
  }))
}

const leave = (receiver: string): boolean => receiver === CANARY_RECEIVER || receiver.startsWith('vestal-')

/**
 * The same of a tenant of a ring, by the configuration that runs for it there. No members where the inventory has no ring. Throws HostError where no instance answers,
 * or the ring has no such tenant.
 */
export const planTenantRoutes = async (inventory: Inventory, tenant: string, reach: Reach): Promise<Plan> => {
  const ring = membersIn(inventory)
  const members = ring.map(({ host, vars }): Member => {
    const endpoint = ringEndpointOf(host, vars)
    return {
      host,
      endpoint: { ...endpoint, prefix: PREFIX, headers: { 'X-Scope-OrgID': tenant } },
      unit: 'cortex-alertmanager',
      marked: ` user=${tenant} `,
      async counted(asked, names) {
        const samples = await metricsOf(
          asked,
          endpoint,
          names.map((name) => `${COUNTED}${name}`),
        )
        return samples
          .filter(({ labels }) => labels.user === tenant)
          .map((one) => ({ ...one, name: one.name.slice(COUNTED.length) }))
      },
    }
  })
  const [first] = ring
  if (!first) return { members, peerWaitMs: 0, tests: [], not: [] }
  const { config } = await firstOf(members, NO_RING, async ({ endpoint }) => {
    const { status } = await ask(reach, endpoint, '/api/v2/status')
    if (status === 404) throw new HostError(endpoint.host.name, `the ring has no tenant ${tenant}`)
    return routingAt(reach, endpoint)
  })
  const { sharding, replication_factor, peer_timeout } = first.vars
  const replicas = sharding ? Math.min(replication_factor, members.length) : members.length
  return understood(`tenant ${tenant}`, 'its routes', () => ({
    members,
    peerWaitMs: (replicas - 1) * milliseconds(peer_timeout),
    ...routeTests({
      route: config.route,
      receivers: config.receivers ?? [],
      router: routerOf(config, parseMatchers),
      parse: parseMatchers,
      known: [],
      at: new Date(),
      leave,
    }),
  }))
}
const COUNTED = 'cortex_alertmanager_'
const NO_RING = new HostError('ring', 'there is no instance among these hosts')

interface Trying {
  readonly run: string
  /** `user@machine`, for whoever is told. */
  readonly owner: string
  readonly reach: Reach
  readonly signal: AbortSignal
}
/** Beside what routes and members wait: a receiver that takes so long to answer is too slow for anybody. */
const PATIENCE_MS = 25_000
const LOOK_MS = 2_000

/**
 * Sends a test alert for each receiver to every Alertmanager, as a Prometheus would, and waits until all are handed over, or time is up; then says that they are
 * over. Returns what became of each. Throws HostError where no Alertmanager takes them.
 */
export const tryRoutes = async ({ members, peerWaitMs, tests }: Plan, trying: Trying): Promise<readonly Tried[]> => {
  const { reach, signal } = trying
  const [before, since] = await Promise.all([countsOf(members, reach), clocksOf(members, reach)])
  const waitMs =
    Math.max(0, ...tests.map(({ wait, interval }) => spanOf(wait) + spanOf(interval))) + peerWaitMs + PATIENCE_MS
  const startsAt = new Date()
  await post({ members, tests }, { ...trying, startsAt, endsAt: new Date(startsAt.getTime() + waitMs + 60_000) })
  const look = async () => {
    const [now, said, held] = await Promise.all([
      countsOf(members, reach),
      saidOf(members, { reach, since }),
      suppressedIn(members, { run: trying.run, reach }),
    ])
    const failed = new Map(tests.map(({ receiver }) => [receiver, failureOf(said, receiver)]))
    // Nothing is to come of those that fail, and of those that are suppressed.
    const expected = expectedOf(tests.filter(({ receiver }) => !failed.get(receiver) && !held.has(receiver)))
    return { failed, held, missing: missingOf(expected, before, now) }
  }
  try {
    for (const deadline = Date.now() + waitMs; Date.now() < deadline && !signal.aborted; ) {
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined)
      if ((await look()).missing.size === 0) break
    }
    // Who fails says so a moment after it has tried.
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined)
    const found = await look()
    return tests.map((one) => resultOf(one, found))
  } finally {
    await post({ members, tests }, { ...trying, startsAt, endsAt: new Date() }).catch(() => undefined)
  }
}

/** One for each Alertmanager that takes it: they tell each other what was notified, and not what alerts there are. */
const post = async (
  { members, tests }: Pick<Plan, 'members' | 'tests'>,
  { run, owner, reach, startsAt, endsAt }: Trying & { readonly startsAt: Date; readonly endsAt: Date },
): Promise<void> => {
  const alerts = tests.map(({ receiver, labels }) => ({
    labels: { ...labels, ...idOf(run, receiver) },
    annotations: {
      summary: `A test of Vestal's: nothing is wrong. ${receiver} works, as this has come.`,
      description: `Sent by ${owner}, run ${run}, to see whether everybody who is to be notified can be. It ends by itself.`,
    },
    startsAt: startsAt.toISOString(),
    endsAt: endsAt.toISOString(),
  }))
  const sent = await Promise.allSettled(members.map(({ endpoint }) => postAlerts(reach, endpoint, alerts)))
  const [failed] = sent.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
  if (sent.every(({ status }) => status === 'rejected')) throw failed
}

/** What makes an alert another than those of other runs and receivers, so that none is taken for one that was notified already. */
const idOf = (run: string, receiver: string) => ({ vestal_run: run, vestal_receiver: receiver })

/** How often each kind of integration, of all members together, has handed something over. */
type Counts = ReadonlyMap<string, number>

const REQUESTS = 'notification_requests_total'
const FAILED = 'notification_requests_failed_total'

/** Requests, and not notifications: one that fails is tried again for minutes before it counts as a notification that failed. */
const countsOf = async (members: readonly Member[], reach: Reach): Promise<Counts> => {
  const counts = new Map<string, number>()
  await Promise.all(
    members.map(async ({ counted }) => {
      const samples = (await answered(() => counted(reach, [REQUESTS, FAILED]))) ?? []
      for (const {
        name,
        labels: { integration = '' },
        value,
      } of samples)
        counts.set(integration, (counts.get(integration) ?? 0) + (name === FAILED ? -1 : 1) * (value || 0))
    }),
  )
  return counts
}

/** How many notifications there are to be, by kind of integration. */
const expectedOf = (tests: readonly RouteTest[]): Counts => {
  const counts = new Map<string, number>()
  for (const { integrations } of tests) for (const one of integrations) counts.set(one, (counts.get(one) ?? 0) + 1)
  return counts
}

const missingOf = (expected: Counts, before: Counts, now: Counts): ReadonlySet<string> =>
  new Set(
    [...expected].flatMap(([kind, count]) => ((now.get(kind) ?? 0) - (before.get(kind) ?? 0) < count ? [kind] : [])),
  )

/** The clock of each member, in seconds since the epoch. */
const clocksOf = (members: readonly Member[], reach: Reach): Promise<ReadonlyMap<string, number>> =>
  Promise.all(
    members.map(async ({ host }) => {
      const said = await answered(async () => (await reach(host)).exec('date +%s', { within: '1m', most: 64 }))
      return [host.name, Number(said?.stdout.toString().trim()) || Math.floor(Date.now() / 1000)] as const
    }),
  ).then((all) => new Map(all))

/** What each member has written of notifications that failed. It may say anything: it is shown as it is, and no more. */
const saidOf = async (
  members: readonly Member[],
  { reach, since }: { readonly reach: Reach; readonly since: ReadonlyMap<string, number> },
): Promise<readonly Said[]> => {
  const all = await Promise.all(
    members.map(async ({ host, unit, marked = '' }) => {
      const said = await answered(async () =>
        (await reach(host)).exec(
          `journalctl -u ${unit}.service --since @${since.get(host.name) ?? 0} -o cat --no-pager 2>/dev/null | grep -i 'notify' | head -c 262144`,
          { within: '1m', most: 300_000 },
        ),
      )
      return said ? [{ host: host.name, lines: linesWith(marked, said.stdout.toString()) }] : []
    }),
  )
  return all.flat()
}
const linesWith = (marked: string, said: string): readonly string[] =>
  said.split('\n').filter((line) => line.includes(marked))

/** Lines of a member's journal, the oldest first. */
export interface Said {
  readonly host: string
  readonly lines: readonly string[]
}

/** The receivers whose test is silenced or inhibited, and why. */
const suppressedIn = async (
  members: readonly Member[],
  { run, reach }: { readonly run: string; readonly reach: Reach },
): Promise<ReadonlyMap<string, string>> => {
  const held = await Promise.all(members.map(({ endpoint }) => answered(() => alertsOf(reach, endpoint))))
  return new Map(
    held.flatMap((alerts) =>
      (alerts?.items ?? [])
        .filter(({ labels }) => labels.vestal_run === run && labels[TEST_LABEL.name] === TEST_LABEL.value)
        .flatMap(({ labels, status }) => {
          const by = [
            ...(status?.silencedBy ?? []).map((id) => `the silence ${id}`),
            ...(status?.inhibitedBy ?? []).map(() => 'another alert'),
          ]
          return by.length > 0 ? [[labels.vestal_receiver ?? '', by.join(' and ')] as const] : []
        }),
    ),
  )
}

const resultOf = (
  test: RouteTest,
  {
    failed,
    held,
    missing,
  }: {
    readonly failed: ReadonlyMap<string, string | undefined>
    readonly held: ReadonlyMap<string, string>
    readonly missing: ReadonlySet<string>
  },
): Tried => {
  const suppressed = held.get(test.receiver)
  if (suppressed !== undefined) return { ...test, result: 'suppressed', why: `it is suppressed by ${suppressed}` }
  const failure = failed.get(test.receiver)
  if (failure !== undefined) return { ...test, result: 'failed', why: failure }
  const short = [...new Set(test.integrations)].filter((kind) => missing.has(kind))
  if (short.length > 0)
    return { ...test, result: 'unclear', why: `less was handed over by ${short.join(', ')} than there was to notify` }
  return { ...test, result: 'delivered' }
}

const MOST_WORDS = 300

/**
 * What Alertmanager has written of a receiver that fails, in its own words. Source: `notify/notify.go` (`receiver` and `err` of "Notify attempt failed") and `dispatch/dispatch.go`
 * (`NAME/webhook[0]: …` in the `err` of "Notify for alerts failed"). Pure.
 */
export const failureOf = (said: readonly Said[], receiver: string): string | undefined => {
  const all = said.flatMap(({ host, lines }) => {
    const error = lastFailure(lines, receiver)
    return error === undefined ? [] : [`${host}: ${error}`]
  })
  return all.length > 0 ? all.join('; ').slice(0, MOST_WORDS) : undefined
}

/** None where it got through in the end. */
const lastFailure = (lines: readonly string[], receiver: string): string | undefined => {
  let failure: string | undefined
  for (const line of lines) {
    const field = (name: string): string | undefined => {
      const [, quoted, plain] = new RegExp(`\\b${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|(\\S+))`).exec(line) ?? []
      return quoted?.replaceAll(/\\(.)/g, '$1') ?? plain
    }
    const error = field('err') ?? ''
    if (field('receiver') !== receiver && !isOf(receiver, error)) continue
    if (/failed/i.test(line)) failure = error || line
    else if (/success/i.test(line)) failure = undefined
  }
  return failure
}

const isOf = (receiver: string, error: string): boolean =>
  error.startsWith(`${receiver}/`) && /^\w+\[\d+\]:/.test(error.slice(receiver.length + 1))

const spanOf = (text: string): number => {
  const { success, data } = duration.safeParse(text)
  return success ? milliseconds(data) : 30_000
}
