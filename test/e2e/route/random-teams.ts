/** Random files of teams and random alerts, alike for the same seed. */

export type Random = () => number
/** A generator of numbers from 0 to 1 (mulberry32). */
export const randomFrom = (seed: number): Random => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

const pick = <T>(random: Random, items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
const chance = (random: Random, of: number): boolean => random() < of
const several = <T>(random: Random, items: readonly T[]): readonly T[] => {
  const chosen = items.filter(() => chance(random, 0.5))
  return chosen.length > 0 ? chosen : [pick(random, items)]
}

const SEVERITIES = ['critical', 'warning', 'info', 'none', 'page']
const CLUSTERS = ['eu-1', 'eu-2', 'us-1', 'näh', 'a"b', 'c\\d']
const namespaces = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `ns-${at}`)

/** Teams that each own a part of the namespaces, in all the ways that a claim can be written. */
export const randomTeams = (random: Random, count: number): Readonly<Record<string, unknown>> =>
  Object.fromEntries(namespaces(count).map((namespace, at) => [`team-${at}`, randomTeam(random, namespace, at)]))

const randomTeam = (random: Random, namespace: string, at: number): unknown => {
  const receivers = Object.fromEntries(
    ['chat', 'pager', 'mail'].map((name) => [name, { webhook_configs: [{ url: `http://127.0.0.1:9/${at}/${name}` }] }]),
  )
  const names = Object.keys(receivers)
  const notify = chance(random, 0.7)
    ? Array.from({ length: 1 + Math.floor(random() * 3) }, () => ({
        ...(chance(random, 0.7) && { severity: several(random, SEVERITIES) }),
        ...(chance(random, 0.3) && { hours: 'office' }),
        to: several(random, names),
      }))
    : undefined
  return {
    owns: claims(random, namespace),
    receivers,
    ...(notify && { notify }),
    times: { office: [{ times: [{ start_time: '08:00', end_time: '18:00' }], weekdays: ['monday:friday'] }] },
    ...(chance(random, 0.2) && { mute: ['office'] }),
    ...(chance(random, 0.5) && {
      grouping: { by: several(random, ['alertname', 'namespace', 'cluster', 'severity']) },
    }),
    ...(chance(random, 0.3) && { escalation: { after: '30m', to: pick(random, names) } }),
    ...(at === 0 && { default: true }),
  }
}

const claims = (random: Random, namespace: string): readonly unknown[] =>
  pick<readonly unknown[]>(random, [
    [{ namespace }],
    [`namespace=~"${namespace}|${namespace}-(blue|green)"`],
    [`namespace="${namespace}", cluster=~"eu-.*"`, `namespace="${namespace}", cluster!~"eu-.*|us-.*"`],
    [`namespace=~"${namespace}(-[a-z]+)?", severity!="none", cluster!=""`],
    [`{namespace="${namespace}",cluster=~"(?i)EU-[0-9]+|n\\\\p{L}h"}`],
  ])

/** Routes and inhibition as an operator writes them, with all forms that matchers have. */
export const OWN_CONFIG = {
  route: {
    receiver: 'root',
    group_by: ['alertname', 'cluster'],
    routes: [
      { matchers: ['alertname = Watchdog'], receiver: 'watchdog' },
      { match: { cluster: 'us-1' }, match_re: { severity: 'page|none' }, receiver: 'own', continue: true },
      {
        matchers: ['{namespace=~"ns-1.*", alertname=~"Disk.+"}'],
        receiver: 'own',
        routes: [{ matchers: ['severity!=critical'], receiver: 'root' }],
      },
    ],
  },
  receivers: [{ name: 'root' }, { name: 'watchdog' }, { name: 'own' }],
  inhibit_rules: [
    {
      source_matchers: ['severity="critical"'],
      target_matchers: ['severity=~"warning|info"'],
      equal: ['alertname', 'namespace'],
    },
    {
      source_match: { alertname: 'ClusterDown' },
      target_match_re: { alertname: 'Disk.*|Latency' },
      equal: ['cluster'],
    },
  ],
}

/** The labels of an alert, most of them some team's. */
export const randomAlert = (random: Random, count: number): Readonly<Record<string, string>> => ({
  alertname: pick(random, ['Watchdog', 'DiskFull', 'DiskSlow', 'Latency', 'ClusterDown', 'Errors']),
  ...(chance(random, 0.9) && { severity: pick(random, SEVERITIES) }),
  ...(chance(random, 0.9) && {
    namespace: pick(random, namespaces(count)) + pick(random, ['', '', '', '-blue', '-x']),
  }),
  ...(chance(random, 0.7) && { cluster: pick(random, CLUSTERS) }),
  ...(chance(random, 0.1) && { team: pick(random, ['team-1', 'team-2', 'nobody']) }),
  ...(chance(random, 0.1) && { escalated: 'true' }),
})
