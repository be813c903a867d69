import type { Role } from '../../model.ts'
import { forms, type JsonSchema, schemaOf } from './json-schema.ts'

/** One line of a role's documentation. */
export interface RoleVariable {
  /** The way to it below the role's key: `retention.time`; `targets[].job` in each entry of a list, `targets.*.port` in each of a mapping. */
  readonly name: string
  readonly type: string
  /** As YAML has it; `required` where there is none and one is needed, '' where it may be left out. */
  readonly default: string
  readonly description: string
}

/** Every setting of a role, or of anything else with a schema, in the order of its schema, settings inside settings after the one that holds them. */
export const roleVariables = ({ vars }: Pick<Role, 'vars'>): readonly RoleVariable[] => rowsBelow(schemaOf(vars), '')

const rowsBelow = (schema: JsonSchema, above: string): readonly RoleVariable[] =>
  Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    const name = above + key
    const needed = schema.required?.includes(key) ?? false
    return [rowOf(property, { name, needed }), ...rowsInside(property, name)]
  })

const rowsInside = (schema: JsonSchema, name: string): readonly RoleVariable[] =>
  schema.title === 'secret'
    ? []
    : forms(schema).flatMap((form) => {
        const { items, additionalProperties: each } = form
        return [
          ...rowsBelow(form, `${name}.`),
          ...(items && !Array.isArray(items) ? rowsInside(items as JsonSchema, `${name}[]`) : []),
          ...(typeof each === 'object' ? rowsInside(each, `${name}.*`) : []),
        ]
      })

const rowOf = (schema: JsonSchema, { name, needed }: { name: string; needed: boolean }): RoleVariable => ({
  name,
  type: typeOf(schema),
  default: schema.default !== undefined ? JSON.stringify(schema.default) : needed ? 'required' : '',
  description: schema.description ?? '',
})

const typeOf = (schema: JsonSchema): string => {
  const { title, type, items, additionalProperties: each } = schema
  if (title) return title
  const values = schema.enum ?? (schema.const === undefined ? undefined : [schema.const])
  if (values) return values.map((value) => JSON.stringify(value)).join(' or ')
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return [...new Set(choices.map(typeOf))].join(' or ')
  if (type === 'array') return items && !Array.isArray(items) ? `list of ${typeOf(items as JsonSchema)}` : 'list'
  if (type === 'object')
    return typeof each === 'object' && !schema.properties ? `mapping to ${typeOf(each)}` : 'mapping'
  return (
    { null: 'nothing', string: 'text', integer: 'whole number', number: 'number', boolean: 'true or false' }[
      type ?? ''
    ] ?? 'any YAML'
  )
}
