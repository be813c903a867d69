import type { Playbook, Role } from '../../lib/model.ts'
import { command } from '../command.ts'
import { asTheFleetIs } from '../first-deploys.ts'
import { changeOptions } from '../options.ts'
import { runPlaybook } from '../run-playbook.ts'

export default command({
  name: 'deploy',
  summary: 'Bring every machine to what the inventory says',
  examples: ['vestal deploy -i inventory/ha --limit am-1 --diff'],
  options: changeOptions,
  run: (flags, book: (roles: readonly Role[]) => Playbook) => runPlaybook(book, flags, asTheFleetIs(flags)),
})
