import type { Argv } from 'yargs'
import type { Playbook, Role } from '../../lib/model.ts'
import { command } from '../command.ts'
import { planOptions } from '../options.ts'
import { planPlaybook } from '../plan-playbook.ts'
import { withTlsSwitched } from '../switch-tls.ts'

export default command({
  name: 'plan',
  summary: 'Show what deploy would change, and change nothing',
  examples: ['vestal plan -i inventory/ha --exit-code --json'],
  options: (args: Argv) =>
    planOptions(args).option('exit-code', {
      type: 'boolean',
      default: false,
      describe: 'Exit 3 when something would change',
    }),
  run: (flags, book: (roles: readonly Role[]) => Playbook) => planPlaybook(book, flags, withTlsSwitched),
})
