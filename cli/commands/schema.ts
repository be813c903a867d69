import type { Argv } from 'yargs'
import { jsonSchema } from '../../lib/inventory/inventory-schema.ts'
import { schemaOf } from '../../lib/inventory/schema/json-schema.ts'
import { print } from '../../lib/report/print.ts'
import { teamsSchema } from '../../lib/routing/team-schema.ts'
import { rolesFor } from '../../roles/registry.ts'
import { command } from '../command.ts'

/** Prints the JSON Schema of an inventory file, or of a file of teams. */
const schema = async (of: 'inventory' | 'teams'): Promise<number> => {
  const wanted = of === 'teams' ? teamsJsonSchema() : jsonSchema(await rolesFor([]))
  print(JSON.stringify(wanted, null, 2))
  return 0
}

const teamsJsonSchema = () => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Vestal teams',
  ...schemaOf(teamsSchema),
})

export default command({
  name: 'schema',
  positionals: '[of]',
  summary: 'Print the JSON Schema of inventories or of files of teams, for editors',
  examples: ['vestal schema > vestal.schema.json'],
  options: (args: Argv) =>
    args
      .positional('of', { choices: ['inventory', 'teams'] as const, default: 'inventory' as const })
      .option('json', { type: 'boolean', default: true, describe: 'The schema is JSON in any case' }),
  run: ({ of }) => schema(of),
})
