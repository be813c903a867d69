import type { ZodType } from 'zod'
import type { Mistakes } from '../mistakes.ts'
import { positionOf } from '../yaml/source.ts'
import { textsThat } from '../yaml/templating.ts'
import type { Variable } from '../yaml/variable.ts'
import { explain, type Path, plainMessage, valueAt } from './explain.ts'
import { keysAt } from './json-schema.ts'

/** Checks variables against schemas. A variable that many hosts share is checked, and blamed, once. */
export interface Checks {
  /** What the schema makes of the variable; undefined, and mistakes, where it doesn't fit. `templated` tells which texts are templates. */
  parse<T>(variable: Variable, schema: ZodType<T>, templated: (text: string) => boolean): T | undefined
}

export const startChecks = (mistakes: Mistakes): Checks => {
  const done = new WeakMap<Variable, Map<ZodType, unknown>>()
  return {
    parse<T>(variable: Variable, schema: ZodType<T>, templated: (text: string) => boolean) {
      const known = done.get(variable) ?? new Map<ZodType, unknown>()
      done.set(variable, known)
      if (!known.has(schema)) known.set(schema, check({ variable, schema, templated }, mistakes))
      return known.get(schema) as T | undefined
    },
  }
}

const check = <T>(
  { variable, schema, templated }: { variable: Variable; schema: ZodType<T>; templated: (text: string) => boolean },
  mistakes: Mistakes,
): T | undefined => {
  const templates = (variable.evaluated ? [] : (variable.layers ?? [variable])).flatMap(({ source, node }) =>
    textsThat(source, node, templated).map((one) => ({ ...one, source })),
  )
  for (const { path, node, source } of templates)
    mistakes.add(positionOf(source, node), {
      path: [variable.name, ...path].join('.'),
      what: 'templating is not supported',
      fix: /\{%[-+]?\s*(end)?raw\b/.test(String(Reflect.get(node, 'value')))
        ? 'take the marks {% raw %} and {% endraw %} away: what stands between them is passed on as it is'
        : 'write the value itself; for a secret { $env: NAME } or { $file: path }',
    })
  const result = schema.safeParse(variable.value(), { error: plainMessage })
  if (result.success) return templates.length > 0 ? undefined : result.data
  // What has no value is told already.
  const isTemplate = (about: Path) =>
    (variable.evaluated && templated(String(valueAt(variable.value(), about)))) ||
    templates.some(({ path }) => path.join('\0') === about.map(String).join('\0'))
  for (const issue of result.error.issues)
    for (const { about, at, ...mistake } of explain(variable, issue, (path) => keysAt(schema, path)))
      if (!isTemplate(about)) mistakes.add(at, mistake)
  return undefined
}
