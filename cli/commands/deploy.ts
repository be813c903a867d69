import { companionsFirst } from '../../fleet/plays.ts'
import type { Playbook, Role } from '../../lib/model.ts'
import { command } from '../command.ts'
import { changeOptions } from '../options.ts'
import { runPlaybook } from '../run-playbook.ts'
import { withTlsSwitched } from '../switch-tls.ts'

export default command({
  name: 'deploy',
  summary: 'Bring every machine to what the inventory says',
  examples: ['vestal deploy -i inventory/ha --limit am-1 --diff'],
  options: changeOptions,
  run: (flags, book: (roles: readonly Role[]) => Playbook) =>
    runPlaybook(
      flags.watchAlerts ? (roles) => companionsFirst(book(roles), roles) : book,
      flags,
      withTlsSwitched,
    ),
})
