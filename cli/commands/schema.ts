import type { Argv } from 'yargs'
import { jsonSchema } from '../../lib/inventory/inventory-schema.ts'
import { schemaOf } from '../../lib/inventory/schema/json-schema.ts'
import type { Role } from '../../lib/model.ts'
import { print } from '../../lib/report/print.ts'
import { settingsTable } from '../../lib/report/settings-table.ts'
import { teamsSchema } from '../../lib/routing/team-schema.ts'
import { rolesFor } from '../../roles/registry.ts'
import { command } from '../command.ts'

interface SchemaFlags {
  readonly of: 'inventory' | 'teams' | 'settings'
  readonly json: boolean
}

/** Prints the JSON Schema of an inventory file or of a file of teams, or the settings of all roles, a user's own among them, as a page. */
const schema = async ({ of, json }: SchemaFlags): Promise<number> => {
  const roles = of === 'teams' ? [] : await rolesFor([])
  const wanted = of === 'teams' ? teamsJsonSchema() : jsonSchema(roles)
  print(of === 'settings' && !json ? settingsPage(roles) : JSON.stringify(wanted, null, 2))
  return 0
}

const settingsPage = (roles: readonly Role[]): string =>
  [
    '# Settings',
    ...roles.map((role) => `\n## ${role.key}\n\n${role.summary}\n\n${settingsTable(role).trimEnd()}`),
  ].join('\n')

const teamsJsonSchema = () => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Vestal teams',
  ...schemaOf(teamsSchema),
})

export default command({
  name: 'schema',
  positionals: '[of]',
  summary: 'Print the JSON Schema of inventories or of files of teams, or a page of all roles’ settings',
  examples: ['vestal schema > vestal.schema.json', 'vestal schema settings > settings.md'],
  options: (args: Argv) =>
    args
      .positional('of', { choices: ['inventory', 'teams', 'settings'] as const, default: 'inventory' as const })
      .option('json', { type: 'boolean', default: false, describe: 'JSON; a schema is, in any case' }),
  run: schema,
})
