import { asAccount } from '../../lib/as-owner.ts'
import { milliseconds } from '../../lib/duration.ts'
import type { Gate, Host, Reach, Verdict } from '../../lib/model.ts'
import { listed } from '../../lib/wording.ts'
import { endpointOf, gossipSeenBy, metricsOf, readyAt, ringSeenBy, type Sample, type Seen, sumOf } from './api.ts'
import type { Member } from './members.ts'
import { USER } from './vars.ts'

/** An instance that has said nothing for longer is not taken as alive. */
const FRESH_MS = 30_000

/**
 * It serves: its first synchronisation is done. That alone proves little: one that reached nobody says so too, hence the gates below.
 * Loading tenants takes some 3 ms each.
 */
export const instanceReady = ({ host }: Member): Gate => ({
  name: 'the Alertmanager has loaded its tenants',
  host: host.name,
  within: '3m',
  async ask(reach) {
    if (await readyAt(reach, endpointOf(host))) return { pass: true }
    return { pass: false, why: '/ready answers 503: it is loading its tenants' }
  },
})

/**
 * Every instance that is sharded sees the same ring and gossips with all of it: exactly these instances, ACTIVE and heard of in the last 30
 * seconds.
 * `except`: instances that are about to be interrupted, and may be in any state. One that is not sharded yet is not counted.
 */
export const ringAgreed = (host: Host, members: readonly Member[], except: readonly Host[] = []): Gate => ({
  name: 'every instance sees the whole ring',
  host: host.name,
  within: '2m',
  async ask(reach) {
    const judges = members.filter((member) => !except.includes(member.host))
    const views = await Promise.all(
      judges.map(async ({ host: judge }) => ({ judge, ring: await ringSeenBy(reach, endpointOf(judge)) })),
    )
    const sharded = views.filter(({ ring }) => ring !== null).map(({ judge }) => judge.name)
    const away = new Set(except.map(({ name }) => name))
    const problems = await Promise.all(
      views.map(async ({ judge, ring }) => {
        if (ring === null) return []
        const gossip = await gossipSeenBy(reach, endpointOf(judge))
        return [...ringProblems(ring, sharded, away), ...gossipProblems(gossip, sharded, away)].map(
          (problem) => `${judge.name} ${problem}`,
        )
      }),
    ).then((all) => all.flat())
    return problems.length === 0
      ? { pass: true, detail: `${sharded.length} instances` }
      : { pass: false, why: listed(problems, 3) }
  },
})

/** What is wrong with a ring, as the end of a sentence that begins with who sees it. */
export const ringProblems = (
  ring: readonly Seen[],
  expected: readonly string[],
  away: ReadonlySet<string>,
): readonly string[] => {
  const ids = new Set(ring.map(({ id }) => id))
  const missing = expected.filter((name) => !ids.has(name))
  const foreign = ring.filter(({ id }) => !expected.includes(id) && !away.has(id)).map(({ id }) => id)
  const bad = ring.filter(({ id, state }) => expected.includes(id) && state !== 'ACTIVE')
  const old = ring.filter(({ id, heartbeatAgeMs }) => expected.includes(id) && !(heartbeatAgeMs < FRESH_MS))
  return [
    ...(missing.length > 0 ? [`does not see ${listed(missing)}`] : []),
    ...(foreign.length > 0 ? [`also sees ${listed(foreign)}, not in the inventory`] : []),
    ...bad.map(({ id, state }) => `sees ${id} as ${state}`),
    ...(old.length > 0 ? [`has not heard of ${listed(old.map(({ id }) => id))} for 30 s`] : []),
  ]
}

const gossipProblems = (
  gossip: readonly string[],
  expected: readonly string[],
  away: ReadonlySet<string>,
): readonly string[] => {
  const missing = expected.filter((name) => !gossip.includes(name))
  const foreign = gossip.filter((name) => !expected.includes(name) && !away.has(name))
  return [
    ...(missing.length > 0 ? [`does not gossip with ${listed(missing)}`] : []),
    ...(foreign.length > 0 ? [`also gossips with ${listed(foreign)}, not in the inventory`] : []),
  ]
}

const OWNED = 'cortex_alertmanager_tenants_owned'
const DISCOVERED = 'cortex_alertmanager_tenants_discovered'

/** All instances together own each tenant as often as it has replicas, and all have discovered the same tenants. */
export const everyTenantOwned = (host: Host, members: readonly Member[]): Gate => ({
  name: 'every tenant is on as many instances as it has replicas',
  host: host.name,
  within: '5m',
  async ask(reach) {
    const counts = await Promise.all(members.map((member) => tenantsAt(reach, member)))
    const owned = counts.reduce((sum, one) => sum + one.owned, 0)
    const discovered = counts.map((one) => one.discovered)
    const [least, most] = [Math.min(...discovered), Math.max(...discovered)]
    const factor = Math.min(members[0]?.vars.replication_factor ?? 1, members.length)
    const progress = `${owned} owned, ${least} to ${most} discovered`
    if (least !== most) return { pass: false, why: `instances have discovered ${least} to ${most} tenants`, progress }
    return owned === factor * most
      ? { pass: true, detail: `${most} tenants` }
      : { pass: false, why: `${most} tenants with ${factor} replicas are owned ${owned} times`, progress }
  },
})

/** How many tenants an instance owns, and how many it knows of. */
export const tenantsAt = async (reach: Reach, { host }: Member): Promise<{ owned: number; discovered: number }> => {
  const samples = await metricsOf(reach, endpointOf(host), [OWNED, DISCOVERED])
  return { owned: sumOf(samples, OWNED), discovered: sumOf(samples, DISCOVERED) }
}

/** What must not grow: each says that a tenant, or a replica of its state, could not be had. */
const FAILURES: Readonly<Record<string, { readonly what: string; counts(sample: Sample): boolean }>> = {
  cortex_alertmanager_sync_configs_failed_total: { what: 'failed synchronisations', counts: () => true },
  cortex_alertmanager_ring_check_errors_total: {
    what: 'tenants whose owners the ring could not tell',
    counts: () => true,
  },
  cortex_alertmanager_state_initial_sync_completed_total: {
    what: 'tenants that started without their state',
    counts: ({ labels }) => labels.outcome === 'failed',
  },
  cortex_alertmanager_distributor_client_request_duration_seconds_count: {
    what: 'requests to other instances that failed',
    counts: ({ labels }) => labels.status_code === 'error',
  },
}

/**
 * Nothing has failed on an instance for some time. Asked before another one is interrupted: after a crash a peer's connection to the instance
 * that is back may fail for a minute or more, and whoever is interrupted then takes the last replica that can be reached.
 */
export const nothingFails = ({ host, vars }: Member): Gate => {
  let since: number | undefined
  let before: string | undefined
  return {
    name: 'nothing has failed on the ring for a while',
    host: host.name,
    within: `${Math.round(milliseconds(vars.settle) / 1_000) + 180}s`,
    async ask(reach): Promise<Verdict> {
      const now = failuresIn(await metricsOf(reach, endpointOf(host), Object.keys(FAILURES)))
      const text = JSON.stringify(now)
      const at = Date.now()
      if (before !== undefined && text !== before) since = at
      const grew = before !== undefined && text !== before
      before = text
      since ??= at
      const waited = at - since
      if (waited >= milliseconds(vars.settle)) return { pass: true, detail: `${Math.round(waited / 1_000)} s` }
      const left = Math.ceil((milliseconds(vars.settle) - waited) / 1_000)
      return { pass: false, why: grew ? `something failed just now: ${text}` : `it is watched for ${left} s more` }
    },
  }
}

const failuresIn = (samples: readonly Sample[]): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries(FAILURES).map(([name, { what, counts }]) => [what, sumOf(samples.filter(counts), name)]),
  )

/**
 * The folder of a `filesystem` storage is one and the same on all instances: what one writes, all read, and may change. Each writes a file of its own,
 * that is removed again.
 */
export const storageIsShared = ({ host, vars }: Member, members: readonly Member[]): readonly Gate[] => {
  const { storage } = vars
  if (storage.backend !== 'filesystem' || members.length < 2) return []
  const mark = `.vestal-probe-${host.name.replaceAll(/[^\w.-]/g, '_')}`
  return [
    {
      name: 'the storage folder is one and the same everywhere',
      host: host.name,
      within: '10s',
      async ask(reach) {
        const at = (script: string): string => asAccount(USER, storage.dir, script)
        const text = `${process.pid}-${Date.now()}`
        const own = await reach(host)
        const wrote = await own.exec(at(`printf %s ${text} >${mark}`))
        if (wrote.code !== 0)
          return { pass: false, final: true, why: `${storage.dir} cannot be written: ${wrote.stderr.trim()}` }
        try {
          const others = members.filter((member) => member.host !== host)
          const seen = await Promise.all(
            others.map(async (other) => {
              const look = at(`head -c 100 ${mark} 2>/dev/null && if test -w ${mark}; then printf ' w'; fi || :`)
              // Where nothing was ever deployed there is no such account; it is asked from there once something is.
              const script = `if id -u -- ${USER} >/dev/null 2>&1; then ${look}\nelse printf none; fi`
              const { stdout } = await (await reach(other.host)).exec(script)
              return { name: other.host.name, said: stdout.toString() }
            }),
          )
          const apart = seen.filter(({ said }) => !['none', text, `${text} w`].includes(said))
          const unwritable = seen.filter(({ said }) => said === text)
          if (apart.length > 0)
            return {
              pass: false,
              final: true,
              why: `${storage.dir} of ${listed(apart.map(({ name }) => name))} is another folder: what is written here isn't there. Mount one file system on all, or use an object store`,
            }
          if (unwritable.length > 0)
            return {
              pass: false,
              final: true,
              why: `in ${storage.dir} ${listed(unwritable.map(({ name }) => name))} may not change what is written here: give the account ${USER} the same number on all machines`,
            }
          return { pass: true }
        } finally {
          await own.exec(at(`rm -f ${mark}`))
        }
      },
    },
  ]
}
