import { type ZodType, z } from 'zod'
import type { Role } from '../model.ts'
import { CONNECTION } from './link.ts'
import { vestalVariable } from './machine.ts'

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

/** A JSON Schema (draft 7, which editors know) of an inventory file: groups, hosts, and the variables of these roles. */
export const jsonSchema = (roles: readonly Role[]): JsonSchema => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Vestal inventory',
  description: "Ansible's YAML inventory, with the variables of Vestal's roles.",
  type: 'object',
  additionalProperties: { $ref: '#/definitions/group' },
  definitions: {
    group: {
      type: ['object', 'null'],
      additionalProperties: false,
      properties: {
        hosts: { ...MEMBERS, additionalProperties: { $ref: '#/definitions/variables' } },
        children: { ...MEMBERS, additionalProperties: { $ref: '#/definitions/group' } },
        vars: { $ref: '#/definitions/variables' },
      },
    },
    variables: {
      type: ['object', 'null'],
      properties: { ...connectionSchemas(), ...roleSchemas(roles), vestal: schemaOf(vestalVariable) },
    },
  },
})

/** The JSON Schema of what an operator may write for a zod schema: before defaults are filled in. */
export const schemaOf = (schema: ZodType): JsonSchema => {
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

const MEMBERS = { type: ['object', 'string', 'null'] }

const roleSchemas = (roles: readonly Role[]): Readonly<Record<string, JsonSchema>> =>
  Object.fromEntries(roles.map((role) => [role.key, { description: role.summary, ...schemaOf(role.vars) }]))

const connectionSchemas = (): Readonly<Record<string, JsonSchema>> =>
  Object.fromEntries(Object.entries(CONNECTION).map(([name, schema]) => [name, schemaOf(schema)]))
