import { describe, expect, test } from 'vitest'
import { jsonSchema } from '../../../../lib/inventory/inventory-schema.ts'
import { keysAt } from '../../../../lib/inventory/schema/json-schema.ts'
import { roleVariables } from '../../../../lib/inventory/schema/role-variables.ts'
import { exampleRoles } from '../example-roles.ts'

const [prometheus] = exampleRoles

describe('the JSON Schema of an inventory', () => {
  const schema = JSON.parse(JSON.stringify(jsonSchema(exampleRoles)))
  const { group, variables } = schema.definitions
  test('knows groups inside groups, hosts and variables', () => {
    expect(schema.additionalProperties).toEqual({ $ref: '#/definitions/group' })
    expect(Object.keys(group.properties)).toEqual(['hosts', 'children', 'vars'])
    expect(group.additionalProperties).toBe(false)
    expect(variables.additionalProperties).toBeUndefined()
  })
  test('knows every role, vestal and the connection variables', () => {
    expect(Object.keys(variables.properties)).toEqual(
      expect.arrayContaining([
        'prometheus',
        'alertmanager',
        'node_exporter',
        'base',
        'vestal',
        'ansible_host',
        'ansible_ssh_private_key_file',
      ]),
    )
  })
  test('lets settings with a default be left out, and shows it', () => {
    expect(variables.properties.prometheus).toMatchObject({
      description: 'A Prometheus.',
      required: ['version'],
      additionalProperties: false,
      properties: { retention: { default: '15d', title: 'duration', description: 'How long samples are kept.' } },
    })
  })
  test('allows a reference where a secret stands', () => {
    const { password } = variables.properties.prometheus.properties.remote_write.items.properties
    expect(password.anyOf).toEqual([{ type: 'string' }, expect.objectContaining({ type: 'object', maxProperties: 1 })])
    expect(variables.properties.ansible_password.title).toBe('secret')
  })
})

test('the keys that may stand at a place are known, inside lists and alternatives too', () => {
  expect(keysAt(prometheus?.vars as never, ['remote_write', 0])).toEqual(['url', 'password', 'listen'])
  expect(keysAt(prometheus?.vars as never, ['web'])).toEqual(['cert', 'mode'])
  expect(keysAt(prometheus?.vars as never, ['labels'])).toEqual([])
})

test('the settings of a role become rows of its documentation', () => {
  const rows = prometheus ? roleVariables(prometheus) : []
  expect(rows.slice(0, 3)).toEqual([
    { name: 'version', type: 'version', default: 'required', description: 'Which release runs.' },
    { name: 'retention', type: 'duration', default: '"15d"', description: 'How long samples are kept.' },
    { name: 'retention_size', type: 'size', default: '', description: 'How much is kept.' },
  ])
  expect(rows.map(({ name, type }) => `${name}: ${type}`)).toEqual(
    expect.arrayContaining([
      'level: "info" or "debug"',
      'remote_write: list of mapping',
      'remote_write[].password: secret',
      'web: absolute path or mapping',
      'web.cert: absolute path',
      'compact: true or false',
    ]),
  )
})
