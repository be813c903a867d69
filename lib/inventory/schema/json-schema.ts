import { type ZodType, z } from 'zod'

/** The parts of a JSON Schema (draft 7) that are looked at here. */
export interface JsonSchema {
  readonly [keyword: string]: unknown
  readonly type?: string
  readonly title?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly additionalProperties?: boolean | JsonSchema
  readonly items?: JsonSchema | readonly JsonSchema[]
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly allOf?: readonly JsonSchema[]
}

/** The JSON Schema of what an operator may write for a zod schema: before defaults are filled in. */
export const schemaOf = (schema: ZodType): JsonSchema => {
  const known = made.get(schema) ?? make(schema)
  made.set(schema, known)
  return known
}
const made = new WeakMap<ZodType, JsonSchema>()

const make = (schema: ZodType): JsonSchema => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
  })
  return rest as JsonSchema
}

/** The keys that a schema knows at a path inside it; empty where any key will do. */
export const keysAt = (schema: ZodType, path: readonly PropertyKey[]): readonly string[] => {
  let at: readonly JsonSchema[] = [schemaOf(schema)]
  for (const part of path) at = at.flatMap(forms).flatMap((form) => below(form, part))
  return [...new Set(at.flatMap(forms).flatMap(({ properties }) => Object.keys(properties ?? {})))]
}

/** The forms a schema allows: itself, or each of its alternatives. */
export const forms = (schema: JsonSchema): readonly JsonSchema[] => {
  const alternatives = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])]
  return [schema, ...alternatives.flatMap(forms)]
}

const below = ({ properties, additionalProperties, items }: JsonSchema, part: PropertyKey): readonly JsonSchema[] => {
  const named = properties?.[String(part)]
  const other = typeof additionalProperties === 'object' ? [additionalProperties] : []
  if (typeof part === 'number') return items && !Array.isArray(items) ? [items as JsonSchema] : []
  return named ? [named] : other
}
