import { MatcherError } from '../../lib/routing/matcher.ts'
import { parseMatchers } from '../../lib/routing/parse-matchers.ts'
import { Secret } from '../../lib/secret.ts'
import type { TenantConfig } from './tenant.ts'

/** What is wrong with a configuration: `path` within it. */
export interface ConfigMistake {
  readonly path: readonly (string | number)[]
  readonly what: string
  readonly fix?: string
}
type Path = ConfigMistake['path']
type Blame = (path: Path, what: string, fix?: string) => void

/** Alertmanager 0.31, which Cortex 1.21 has inside: `config/config.go`, `config/notifiers.go`. */
const TOP = [
  'global',
  'templates',
  'route',
  'inhibit_rules',
  'receivers',
  'mute_time_intervals',
  'time_intervals',
  'tracing',
]
const ROUTE = [
  ...['receiver', 'group_by', 'match', 'match_re', 'matchers', 'mute_time_intervals', 'active_time_intervals'],
  ...['continue', 'routes', 'group_wait', 'group_interval', 'repeat_interval'],
]
const INTEGRATIONS = [
  ...['discord', 'email', 'incidentio', 'pagerduty', 'slack', 'webhook', 'opsgenie', 'wechat', 'pushover', 'victorops'],
  ...['sns', 'telegram', 'webex', 'msteams', 'msteamsv2', 'jira', 'rocketchat', 'mattermost'],
].map((name) => `${name}_configs`)
const TIMES = ['group_wait', 'group_interval', 'repeat_interval'] as const

/**
 * What is certainly wrong with a configuration, all of it: what Alertmanager refuses wherever it runs, and what Cortex refuses (files of its own
 * disk). What only the program can tell, such as a receiver without an address, the first tenants that are uploaded show.
 */
export const mistakesIn = (config: TenantConfig, templates: readonly string[]): readonly ConfigMistake[] => {
  const mistakes: ConfigMistake[] = []
  const blame: Blame = (path, what, fix) => void mistakes.push({ path, what, fix })
  unknownKeys(config, { known: TOP, path: [], blame })
  const receivers = receiverNames(config.receivers, blame)
  const intervals = [...namesOf(config.time_intervals), ...namesOf(config.mute_time_intervals)]
  const { route } = config
  if (!isMap(route)) blame(['route'], 'there is no route at the top of the tree', 'route: { receiver: NAME }')
  else {
    if (route.receiver === undefined)
      blame(['route'], 'the route at the top has no receiver', 'name one that is below `receivers`')
    for (const key of ['match', 'match_re', 'matchers', 'mute_time_intervals', 'active_time_intervals'])
      if (route[key] !== undefined)
        blame(['route', key], 'the route at the top takes every alert at every time', 'put it into a route below')
    blameRoute(route, { path: ['route'], receivers, intervals, blame })
  }
  blameInhibits(config.inhibit_rules, blame)
  blameFiles(config, [], blame)
  blameTemplates(config.templates, templates, blame)
  return mistakes
}

const receiverNames = (given: unknown, blame: Blame): ReadonlySet<string> => {
  const names = new Set<string>()
  if (!Array.isArray(given) || given.length === 0) {
    blame(
      ['receivers'],
      'there is no receiver: nobody would be notified',
      'receivers: [{ name: …, webhook_configs: […] }]',
    )
    return names
  }
  for (const [at, one] of given.entries()) {
    if (!isMap(one) || typeof one.name !== 'string' || one.name === '') {
      blame(['receivers', at], 'a receiver without a name')
      continue
    }
    if (names.has(one.name))
      blame(['receivers', at, 'name'], `two receivers are called ${JSON.stringify(one.name)}`, 'keep one')
    names.add(one.name)
    unknownKeys(one, { known: ['name', ...INTEGRATIONS], path: ['receivers', at], blame })
    for (const [key, list] of Object.entries(one))
      if (INTEGRATIONS.includes(key) && !(Array.isArray(list) && list.every(isMap)))
        blame(['receivers', at, key], 'expected a list of mappings')
  }
  return names
}

interface Tree {
  readonly path: Path
  readonly receivers: ReadonlySet<string>
  readonly intervals: readonly string[]
  readonly blame: Blame
}

const blameRoute = (route: Readonly<Record<string, unknown>>, tree: Tree): void => {
  const { path, receivers, intervals, blame } = tree
  unknownKeys(route, { known: ROUTE, path, blame })
  const { receiver, matchers, routes, group_by: groupBy } = route
  if (receiver !== undefined && !(typeof receiver === 'string' && receivers.has(receiver)))
    blame(
      [...path, 'receiver'],
      `no receiver is called ${JSON.stringify(receiver)}`,
      'name one that is below `receivers`',
    )
  for (const key of TIMES) blameDuration(route[key], [...path, key], blame)
  for (const key of ['mute_time_intervals', 'active_time_intervals'])
    for (const name of listIn(route[key]))
      if (!intervals.includes(String(name)))
        blame([...path, key], `no time interval is called ${JSON.stringify(name)}`, 'add it below `time_intervals`')
  const labels = listIn(groupBy).map(String)
  if (new Set(labels).size < labels.length) blame([...path, 'group_by'], 'a label twice')
  if (labels.includes('...') && labels.length > 1)
    blame([...path, 'group_by'], '`...` stands for all labels, and so alone')
  blameMatchers(matchers, [...path, 'matchers'], blame)
  if (routes !== undefined && !Array.isArray(routes)) blame([...path, 'routes'], 'expected a list of routes')
  for (const [at, child] of listIn(routes).entries())
    if (isMap(child)) blameRoute(child, { ...tree, path: [...path, 'routes', at] })
    else blame([...path, 'routes', at], 'expected a route')
}

/** As Go reads it for Prometheus (common `model/time.go`). */
const blameDuration = (value: unknown, path: Path, blame: Blame): void => {
  if (value === undefined) return
  const text = String(value)
  const whole = /^(0|(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?)$/.test(text) && text !== ''
  if (!whole) blame(path, `${JSON.stringify(value)} is no duration`, 'such as 30s, 5m or 1h30m')
  else if (path.at(-1) !== 'group_wait' && !/[1-9]/.test(text)) blame(path, 'must be longer than nothing')
}

const blameMatchers = (value: unknown, path: Path, blame: Blame): void => {
  if (value === undefined) return
  if (!Array.isArray(value)) {
    blame(path, 'expected a list of matchers', 'matchers: [severity = critical]')
    return
  }
  for (const [at, text] of value.entries()) {
    try {
      parseMatchers(String(text))
    } catch (error) {
      if (!(error instanceof MatcherError)) throw error
      blame([...path, at], error.message)
    }
  }
}

const blameInhibits = (value: unknown, blame: Blame): void => {
  for (const [at, rule] of listIn(value).entries()) {
    if (!isMap(rule)) blame(['inhibit_rules', at], 'expected a rule')
    else
      for (const key of ['source_matchers', 'target_matchers'])
        blameMatchers(rule[key], ['inhibit_rules', at, key], blame)
  }
}

/** A tenant could read files of the machine by these; Cortex takes none of them (`pkg/alertmanager/api.go`). */
const blameFiles = (value: unknown, path: Path, blame: Blame): void => {
  if (value instanceof Secret) return
  if (Array.isArray(value)) for (const [at, item] of value.entries()) blameFiles(item, [...path, at], blame)
  else if (isMap(value))
    for (const [key, item] of Object.entries(value)) {
      if (/_file$/.test(key))
        blame(
          [...path, key],
          'Cortex takes no files of its own disk',
          'give the value itself: { $file: path } is read here',
        )
      blameFiles(item, [...path, key], blame)
    }
}

const blameTemplates = (value: unknown, there: readonly string[], blame: Blame): void => {
  for (const [at, name] of listIn(value).entries())
    if (typeof name !== 'string' || name.includes('/'))
      blame(
        ['templates', at],
        'a template is a file name without folders',
        'put it into the folder with the tenant’s name',
      )
    else if (!/[*?[]/.test(name) && !there.includes(name))
      blame(
        ['templates', at],
        `there is no template ${JSON.stringify(name)}`,
        'put it into the folder with the tenant’s name',
      )
}

const unknownKeys = (
  map: Readonly<Record<string, unknown>>,
  { known, path, blame }: { readonly known: readonly string[]; readonly path: Path; readonly blame: Blame },
): void => {
  for (const key of Object.keys(map))
    if (!known.includes(key)) blame([...path, key], 'Alertmanager knows no such setting')
}

const namesOf = (list: unknown): readonly string[] =>
  listIn(list).flatMap((one) => (isMap(one) && typeof one.name === 'string' ? [one.name] : []))

const listIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Secret)
