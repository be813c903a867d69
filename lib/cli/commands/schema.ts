import deploy from '../../../playbooks/deploy.ts'
import { jsonSchema, schemaOf } from '../../inventory/json-schema.ts'
import { rolesOf } from '../../playbook.ts'
import { teamsSchema } from '../../routing/team-schema.ts'

/** Prints the JSON Schema of an inventory file, or of a file of teams. */
export const schema = async (of: 'inventory' | 'teams'): Promise<number> => {
  const wanted = of === 'teams' ? teamsJsonSchema() : jsonSchema(rolesOf(deploy))
  process.stdout.write(`${JSON.stringify(wanted, null, 2)}\n`)
  return 0
}

const teamsJsonSchema = () => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Vestal teams',
  ...schemaOf(teamsSchema),
})
