import deploy from '../../../playbooks/deploy.ts'
import { jsonSchema } from '../../inventory/json-schema.ts'
import { rolesOf } from '../../playbook.ts'

/** Prints the JSON Schema of an inventory file. */
export const schema = async (): Promise<number> => {
  process.stdout.write(`${JSON.stringify(jsonSchema(rolesOf(deploy)), null, 2)}\n`)
  return 0
}
