import { dirname } from 'node:path'
import { isScalar } from 'yaml'
import { Secret } from '../../secret.ts'
import type { Mistakes } from '../mistakes.ts'
import { positionOf } from '../yaml/source.ts'
import { isTemplated, textsThat } from '../yaml/templating.ts'
import type { Variable } from '../yaml/variable.ts'
import { evaluated, TemplateError } from './environment.ts'

type Variables = ReadonlyMap<string, Variable>
interface TemplateScope {
  /** Every host's variables, as they are written. */
  readonly hosts: ReadonlyMap<string, Variables>
  /** The hosts of each group. */
  readonly groups: Readonly<Record<string, readonly string[]>>
  /** The groups of a host. */
  groupsOf(host: string): readonly string[]
  readonly env: NodeJS.ProcessEnv
}

/** Puts values in place of a variable's Jinja texts, as they are for one host. Without `mistakes`, a variable with one that has none stays as it is. */
export type Resolve = (
  host: string,
  variable: Variable,
  how: { readonly templated: (text: string) => boolean; readonly mistakes: Mistakes | undefined },
) => Variable

/**
 * What Jinja in a variable stands for: other variables of the host, `groups`, `group_names`, `hostvars`, `inventory_hostname`, lookups of env and file. A text that
 * is made of a secret is one. What can't be evaluated is a mistake at its place. Hosts with the same values share the variable.
 */
export const templateResolver = (around: TemplateScope): Resolve => {
  const shared = new Map<Variable, Map<string, Variable>>()
  return (host, variable, { templated, mistakes }) => {
    const found = (variable.layers ?? [variable]).flatMap(({ source, node }) =>
      textsThat(source, node, templated).map((one) => ({ ...one, source })),
    )
    if (found.length === 0) return variable
    let value = variable.value()
    for (const { path, node, source } of found) {
      const text = isScalar(node) ? String(node.value) : ''
      // What a later layer has replaced is not used.
      const written = at(value, path)
      if ((written instanceof Secret ? written.reveal() : written) !== text) continue
      try {
        const own = { host, folder: dirname(source.file), doing: [variable.name] }
        const made = evaluate(text, own, around)
        value = withValue(value, path, written instanceof Secret && typeof made === 'string' ? new Secret(made) : made)
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error
        if (!mistakes) return variable
        mistakes.add(positionOf(source, node), {
          path: [variable.name, ...path].join('.'),
          what: `this template has no value for ${host}: ${error.message}`,
          fix: /\{%[-+]?\s*(end)?raw\b/.test(text)
            ? RAW
            : 'write the value itself; for a secret { $env: NAME } or { $file: path }',
        })
      }
    }
    const same = shared.get(variable) ?? new Map<string, Variable>()
    shared.set(variable, same)
    const key = JSON.stringify(value, (_, one) => (one instanceof Secret ? one.reveal() : one))
    const known = same.get(key) ?? {
      ...variable,
      evaluated: true,
      written: variable.written ?? variable.value,
      value: () => value,
    }
    same.set(key, known)
    return known
  }
}

const RAW = 'take the marks {% raw %} and {% endraw %} away: what stands between them is passed on as it is'

interface Own {
  readonly host: string
  readonly folder: string
  /** The variables that are being evaluated: none may need itself. */
  readonly doing: readonly string[]
}

/** Only names that stand in the text are looked up. */
const evaluate = (text: string, own: Own, around: TemplateScope): unknown => {
  const all = new Set(text.match(/[A-Za-z_]\w*/g) ?? [])
  const words = new Set(
    text.replaceAll(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"/g, '').match(/(?<![.\w])[A-Za-z_]\w*/g) ?? [],
  )
  let secret = false
  const resolved = (value: unknown, doing: readonly string[], host: string): unknown => {
    if (value instanceof Secret) {
      secret = true
      return value.reveal()
    }
    if (typeof value === 'string' && isTemplated(value)) {
      const inner = evaluate(value, { ...own, host, doing }, around)
      return resolved(inner, doing, host)
    }
    if (Array.isArray(value)) return value.map((one) => resolved(one, doing, host))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, resolved(one, doing, host)]))
  }
  const variablesOf = (host: string, names: ReadonlySet<string>): Record<string, unknown> => {
    const variables = around.hosts.get(host) ?? new Map<string, Variable>()
    const named = [...variables].filter(([name]) => names.has(name))
    const values = named.map(([name, variable]) => {
      const id = host === own.host ? name : `${host} ${name}`
      if (own.doing.includes(id)) throw new TemplateError(`${[...own.doing, id].join(' needs ')}, and so itself`)
      return [name, resolved(variable.value(), [...own.doing, id], host)] as const
    })
    return { inventory_hostname: host, inventory_hostname_short: host.split('.')[0], ...Object.fromEntries(values) }
  }
  const values = {
    ...variablesOf(own.host, words),
    group_names: around.groupsOf(own.host),
    ...(words.has('groups') && { groups: around.groups }),
    ...(words.has('hostvars') && {
      hostvars: Object.fromEntries([...around.hosts.keys()].map((host) => [host, variablesOf(host, all)])),
    }),
  }
  const value = evaluated(text, values, { env: around.env, folder: own.folder })
  return secret && typeof value !== 'object' ? new Secret(String(value)) : value
}

const at = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (one, key) => (typeof one === 'object' && one !== null ? Reflect.get(one, key) : undefined),
    value,
  )

const withValue = (value: unknown, [key, ...rest]: readonly string[], put: unknown): unknown => {
  if (key === undefined) return put
  if (Array.isArray(value))
    return Object.freeze(value.map((one, index) => (String(index) === key ? withValue(one, rest, put) : one)))
  const inner = withValue(typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined, rest, put)
  return Object.freeze({ ...(value as object), [key]: inner })
}
