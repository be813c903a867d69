import compare from 'semver/functions/compare.js'
import type { SettingMistake } from '../../lib/model.ts'
import { MatcherError, matcher } from '../../lib/routing/matcher.ts'
import { parseClassic, parseMatchers } from '../../lib/routing/parse-matchers.ts'
import type { AlertmanagerVars } from './vars.ts'

type Path = SettingMistake['path']
type Fields = Readonly<Record<string, unknown>>

/**
 * What Alertmanager would refuse of a configuration's routes and inhibitions, with the way to it below the role's variable: matchers and regular
 * expressions that are none, and time intervals that nobody has defined. Source: its `config/config.go` and `pkg/labels`.
 */
export const configMistakes = ({
  version,
  config,
}: Pick<AlertmanagerVars, 'version' | 'config'>): readonly SettingMistake[] => {
  const parse = compare(version, '0.27.0') < 0 ? parseClassic : parseMatchers
  const attempt = (path: Path, read: () => unknown): readonly SettingMistake[] => {
    try {
      read()
      return []
    } catch (error) {
      if (error instanceof MatcherError) return [{ path, what: error.message }]
      throw error
    }
  }
  const matchersAt = (value: unknown, path: Path): readonly SettingMistake[] => {
    if (value === undefined || value === null) return []
    if (!Array.isArray(value))
      return [{ path, what: 'expected a list of matchers', fix: `write it as ['name="value"']` }]
    return value.flatMap((text, at) =>
      typeof text === 'string'
        ? attempt([...path, at], () => parse(text))
        : [{ path: [...path, at], what: 'expected a matcher, as text', fix: 'put quotes around it' }],
    )
  }
  const regexesAt = (value: unknown, path: Path): readonly SettingMistake[] =>
    isFields(value)
      ? Object.entries(value).flatMap(([name, text]) =>
          attempt([...path, name], () => matcher(name, '=~', String(text))),
        )
      : []
  const conditionsAt = (node: Fields, path: Path, prefix = ''): readonly SettingMistake[] => [
    ...matchersAt(node[`${prefix}matchers`], [...path, `${prefix}matchers`]),
    ...regexesAt(node[`${prefix}match_re`], [...path, `${prefix}match_re`]),
  ]
  const known = new Set(
    [config.time_intervals, config.mute_time_intervals].flatMap((list) =>
      Array.isArray(list) ? list.map((one: { name?: unknown }) => String(one?.name)) : [],
    ),
  )
  const intervalsAt = (value: unknown, path: Path): readonly SettingMistake[] =>
    (Array.isArray(value) ? value : []).flatMap((name, at) =>
      known.has(String(name))
        ? []
        : [
            {
              path: [...path, at],
              what: `no time interval is called ${JSON.stringify(name)}`,
              fix: 'define it in config.time_intervals',
            },
          ],
    )
  const routeAt = (route: Fields, path: Path): readonly SettingMistake[] => [
    ...conditionsAt(route, path),
    ...intervalsAt(route.mute_time_intervals, [...path, 'mute_time_intervals']),
    ...intervalsAt(route.active_time_intervals, [...path, 'active_time_intervals']),
    ...listAt(route.routes, [...path, 'routes'], routeAt),
  ]
  return [
    ...routeAt(config.route, ['config', 'route']),
    ...listAt(config.inhibit_rules, ['config', 'inhibit_rules'], (rule, path) => [
      ...conditionsAt(rule, path, 'source_'),
      ...conditionsAt(rule, path, 'target_'),
    ]),
    ...twice(config.receivers, ['config', 'receivers'], 'receiver'),
    ...twice(config.time_intervals, ['config', 'time_intervals'], 'time interval'),
  ]
}

const listAt = (
  value: unknown,
  path: Path,
  each: (item: Fields, path: Path) => readonly SettingMistake[],
): readonly SettingMistake[] => {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) return [{ path, what: 'expected a list' }]
  return value.flatMap((item, at) =>
    isFields(item) ? each(item, [...path, at]) : [{ path: [...path, at], what: 'expected a mapping' }],
  )
}

const twice = (value: unknown, path: Path, noun: string): readonly SettingMistake[] => {
  const seen = new Set<string>()
  return listAt(value, path, (item, at) => {
    const name = String(item.name)
    if (!seen.has(name)) {
      seen.add(name)
      return []
    }
    return [{ path: [...at, 'name'], what: `another ${noun} is called ${JSON.stringify(name)} too` }]
  })
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
