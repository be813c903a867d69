import type { ZodType } from 'zod'
import { Secret } from '../secret.ts'
import { forms, type JsonSchema, schemaOf } from './schema/json-schema.ts'
import { type Include, isLooseMapping, upstreamText } from './schema/upstream-text.ts'
import type { Variable } from './yaml/variable.ts'

/** Makes one variable of those that set the same settings, each in a file of its own, the last winning. */
export type JoinSettings = (layers: readonly Variable[], schema: ZodType) => Variable

/**
 * Settings of a role, and `vestal`, are joined key by key over all that set them, mappings in mappings too; a list, and what a program reads as it is, is
 * replaced whole. The same layers give the same variable, so that what hosts share is read, and blamed, once.
 */
export const settingsJoiner = (include: Include): JoinSettings => {
  const ids = new Map<Variable, number>()
  const known = new Map<string, Variable>()
  const idOf = (variable: Variable): number => {
    const id = ids.get(variable) ?? ids.size
    ids.set(variable, id)
    return id
  }
  return (layers, schema) => {
    // What sets nothing at all takes away all that was set before.
    const from = layers.findLastIndex((layer) => layer.value() === null)
    const used = from < 0 ? layers : layers.slice(Math.min(from + 1, layers.length - 1))
    const key = used.map(idOf).join(' ')
    const made = known.get(key) ?? join(used, schema, include)
    known.set(key, made)
    return made
  }
}

const join = (layers: readonly Variable[], schema: ZodType, include: Include): Variable => {
  const last = layers.at(-1) as Variable
  let value: { readonly is: unknown } | undefined
  return {
    ...last,
    layers: layers.length > 1 ? layers : undefined,
    written: layers.length > 1 ? undefined : last.value,
    value: () => {
      value ??= {
        is: layers
          .map((layer) => upstreamText(layer.value(), { ...layer, include }, schema))
          .reduce((below, above) => merged(below, above, [schemaOf(schema)])),
      }
      return value.is
    },
  }
}

const merged = (below: unknown, above: unknown, schemas: readonly JsonSchema[]): unknown => {
  const known = schemas.flatMap(forms)
  if (!isMapping(below) || !isMapping(above) || known.length === 0 || known.some(isLooseMapping)) return above
  const inside = (key: string): readonly JsonSchema[] =>
    known.flatMap(({ properties, additionalProperties: each }): readonly JsonSchema[] => {
      const one = properties?.[key] ?? each
      return typeof one === 'object' ? [one] : []
    })
  return Object.freeze({
    ...below,
    ...Object.fromEntries(
      Object.entries(above).map(([key, value]) => [
        key,
        Object.hasOwn(below, key) ? merged(below[key], value, inside(key)) : value,
      ]),
    ),
  })
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Secret)
