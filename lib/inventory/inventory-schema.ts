import type { Role } from '../model.ts'
import { CONNECTION } from './connection-vars.ts'
import { vestalVariable } from './machine.ts'
import { type JsonSchema, schemaOf } from './schema/json-schema.ts'
import { tlsVariable } from './tls.ts'

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
      properties: {
        ...connectionSchemas(),
        ...roleSchemas(roles),
        vestal: schemaOf(vestalVariable),
        tls: schemaOf(tlsVariable),
      },
    },
  },
})

const MEMBERS = { type: ['object', 'string', 'null'] }

const roleSchemas = (roles: readonly Role[]): Readonly<Record<string, JsonSchema>> =>
  Object.fromEntries(roles.map((role) => [role.key, { description: role.summary, ...schemaOf(role.vars) }]))

const connectionSchemas = (): Readonly<Record<string, JsonSchema>> =>
  Object.fromEntries(Object.entries(CONNECTION).map(([name, schema]) => [name, schemaOf(schema)]))
