/** Alertmanager's routing as a function. Source: its `dispatch/route.go` and `inhibit/inhibit.go`. */
import type { RouteConfig } from './generate.ts'
import { type Labels, type Matcher, matcher, meetsAll } from './matcher.ts'
import { type Parser, parseMatchers } from './parse-matchers.ts'
import { inIntervals, type NamedIntervals } from './times.ts'

/** The parts of a configuration that decide who is notified. */
export interface AlertmanagerConfig {
  readonly route: RouteConfig
  readonly inhibit_rules?: readonly InhibitConfig[]
  readonly time_intervals?: readonly NamedIntervals[]
  readonly mute_time_intervals?: readonly NamedIntervals[]
}
interface InhibitConfig {
  readonly source_matchers?: readonly string[]
  readonly target_matchers?: readonly string[]
  readonly source_match?: Labels
  readonly target_match?: Labels
  readonly source_match_re?: Labels
  readonly target_match_re?: Labels
  readonly equal?: readonly string[]
}

/** One notification of an alert. */
export interface Told {
  readonly receiver: string
  /** The labels it is grouped by; `...` for all. */
  readonly groupBy: readonly string[]
  /** The time intervals that keep it from being told at this time. */
  readonly mutedBy: readonly string[]
  /** The matchers of each node on the way, from the root. */
  readonly way: readonly string[]
}
/** How soon a group is notified, and how often again; as Alertmanager's configuration has them: `30s`. */
export interface Pace {
  readonly wait: string
  readonly interval: string
  readonly repeat: string
}
export interface Router {
  /** Who is notified of an alert, in the order of the tree. Without a time no interval is looked at. */
  route(labels: Labels, at?: Date): readonly Told[]
  /** The pace of each of these notifications, in the same order. */
  pace(labels: Labels): readonly Pace[]
  /** Whether one of these alerts inhibits it. */
  inhibited(labels: Labels, firing: readonly Labels[]): boolean
}

interface Node {
  readonly receiver: string
  readonly matchers: readonly Matcher[]
  readonly goesOn: boolean
  readonly groupBy: readonly string[]
  readonly mutes: readonly string[]
  readonly actives: readonly string[]
  readonly way: readonly string[]
  readonly pace: Pace
  readonly children: readonly Node[]
}

/** Reads a configuration. Throws MatcherError where a matcher is none, RegexError where an expression can't be followed. */
export const routerOf = (config: AlertmanagerConfig, parse: Parser = parseMatchers): Router => {
  const root = nodeOf(config.route, undefined, parse)
  const intervals = new Map(
    [...(config.mute_time_intervals ?? []), ...(config.time_intervals ?? [])].map((one) => [one.name, one]),
  )
  const inhibits = (config.inhibit_rules ?? []).map((rule) => ({
    source: conditions(
      { match: rule.source_match, match_re: rule.source_match_re, matchers: rule.source_matchers },
      parse,
    ),
    target: conditions(
      { match: rule.target_match, match_re: rule.target_match_re, matchers: rule.target_matchers },
      parse,
    ),
    equal: rule.equal ?? [],
  }))
  const isIn = (name: string, at: Date): boolean => inIntervals(intervals.get(name)?.time_intervals ?? [], at)
  return {
    route: (labels, at) =>
      match(root, labels).map(({ receiver, groupBy, mutes, actives, way }) => ({
        receiver,
        groupBy,
        way,
        mutedBy: at
          ? [
              ...mutes.filter((name) => isIn(name, at)),
              ...(actives.length > 0 && !actives.some((name) => isIn(name, at)) ? actives : []),
            ]
          : [],
      })),
    pace: (labels) => match(root, labels).map(({ pace }) => pace),
    inhibited: (labels, firing) =>
      inhibits.some(({ source, target, equal }) => {
        if (!meetsAll(labels, target)) return false
        // An alert on both sides is not inhibited by others on both sides, itself among them.
        const twoSided = meetsAll(labels, source)
        return firing.some(
          (other) =>
            meetsAll(other, source) &&
            equal.every((name) => (other[name] ?? '') === (labels[name] ?? '')) &&
            !(twoSided && meetsAll(other, target)),
        )
      }),
  }
}

const nodeOf = (config: RouteConfig, above: Node | undefined, parse: Parser): Node => {
  const matchers = conditions(config, parse)
  const own: Omit<Node, 'children'> = {
    receiver: config.receiver || (above?.receiver ?? ''),
    matchers,
    goesOn: config.continue ?? false,
    groupBy: config.group_by ?? above?.groupBy ?? [],
    mutes: config.mute_time_intervals ?? [],
    actives: config.active_time_intervals ?? [],
    pace: paceOf({ ...config }, above?.pace),
    way: above ? [...above.way, matchers.map(shown).join(', ') || 'everything'] : [],
  }
  const node = { ...own, children: [] as Node[] }
  node.children.push(...(config.routes ?? []).map((child) => nodeOf(child, node, parse)))
  return node
}

/** Source of what holds where nothing is said: `DefaultRouteOpts` in Alertmanager's `dispatch/route.go`. */
const paceOf = (config: RouteConfig & Readonly<Record<string, unknown>>, above: Pace | undefined): Pace => {
  const { wait, interval, repeat } = above ?? { wait: '30s', interval: '5m', repeat: '4h' }
  const said = (name: string, otherwise: string): string => {
    const found = config[name]
    return typeof found === 'string' ? found : otherwise
  }
  return {
    wait: said('group_wait', wait),
    interval: said('group_interval', interval),
    repeat: said('repeat_interval', repeat),
  }
}

const shown = ({ name, operator, value }: Matcher): string => `${name}${operator}${JSON.stringify(value)}`

/** What a node of the tree asks of an alert. Throws MatcherError where a matcher is none. */
export const conditions = (
  config: { readonly match?: Labels; readonly match_re?: Labels; readonly matchers?: readonly string[] },
  parse: Parser,
): readonly Matcher[] => [
  ...Object.entries(config.match ?? {}).map(([name, value]) => matcher(name, '=', value)),
  ...Object.entries(config.match_re ?? {}).map(([name, value]) => matcher(name, '=~', value)),
  ...(config.matchers ?? []).flatMap((text) => parse(text)),
]

const match = (node: Node, labels: Labels): readonly Node[] => {
  if (!meetsAll(labels, node.matchers)) return []
  const found: Node[] = []
  for (const child of node.children) {
    const matches = match(child, labels)
    found.push(...matches)
    if (matches.length > 0 && !child.goesOn) break
  }
  return found.length > 0 ? found : [node]
}
