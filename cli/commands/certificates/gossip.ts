import { gossipSwitch } from '../../../fleet/certificates/gossip.ts'
import { InputError } from '../../../lib/errors.ts'
import { adviceText } from '../../../lib/report/lines.ts'
import { print } from '../../../lib/report/print.ts'
import { isAtTerminal } from '../../confirm.ts'
import type { Context } from '../../context.ts'
import { runOpened } from '../../run-playbook.ts'
import type { CertificatesFlags } from './flags.ts'

/**
 * Turns the gossip of Alertmanagers to TLS, or back, as the inventory says. What that means is said before anything is changed; without anybody to ask it takes
 * `--yes`. Returns the exit code.
 */
export const switchGossip = async (context: Context, flags: CertificatesFlags): Promise<number> => {
  const { inventory, hosts, pool, redacted } = context
  const found = await gossipSwitch(inventory, { hosts, reach: pool.reach, oneByOne: flags.oneByOne })
  if (!found) {
    print(
      flags.json
        ? JSON.stringify({ vestal: 'certificates-gossip/1', inventory: inventory.name, changes: 0 })
        : 'Every Alertmanager that runs gossips as the inventory says: nothing is to be done.',
    )
    return 0
  }
  const { book, advice } = found
  if (!flags.yes && (flags.json || !isAtTerminal()))
    throw new InputError([
      {
        where: '--yes',
        what: `is missing, and nobody is there to be asked. ${redacted(advice).map(adviceText).join('\n')}`,
        fix: 'Give --yes to go ahead.',
      },
    ])
  return runOpened(book, context, flags, {
    advice,
    resumeHint: 'Members that have turned hear none that have not. The same command goes on.',
  })
}
