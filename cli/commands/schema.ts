import { jsonSchema } from '../../lib/inventory/inventory-schema.ts'
import { schemaOf } from '../../lib/inventory/schema/json-schema.ts'
import { teamsSchema } from '../../lib/routing/team-schema.ts'
import { rolesFor } from '../../roles/registry.ts'

/** Prints the JSON Schema of an inventory file, or of a file of teams. */
export const schema = async (of: 'inventory' | 'teams'): Promise<number> => {
  const wanted = of === 'teams' ? teamsJsonSchema() : jsonSchema(await rolesFor([]))
  process.stdout.write(`${JSON.stringify(wanted, null, 2)}\n`)
  return 0
}

const teamsJsonSchema = () => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Vestal teams',
  ...schemaOf(teamsSchema),
})
