import type { Argv } from 'yargs'
import { command } from '../../command.ts'
import { inLab, openContext } from '../../context.ts'
import { commonOptions } from '../../options.ts'
import { coverage } from './coverage.ts'
import { diff } from './diff.ts'
import type { RoutesFlags } from './flags.ts'
import { routingOf } from './fleet.ts'
import { show } from './show.ts'
import { test } from './test.ts'

/** Who is notified of which alert. `test` and `show` touch no machine; `diff` and `coverage` ask Prometheus and Alertmanager. */
const routes = async (flags: RoutesFlags): Promise<number> => {
  await using context = await openContext(flags)
  const { inventory, hosts, pool } = context
  if (flags.action === 'test') return test(inventory, routingOf(inventory), flags)
  if (flags.action === 'show') return show(routingOf(inventory), flags)
  const inside = await inLab(hosts)
  if (inside !== null) return inside
  const asked = { inventory, hosts, reach: pool.reach }
  // Awaited here, so that the links stay open meanwhile.
  return await (flags.action === 'diff' ? diff(asked, flags) : coverage(asked, flags))
}

export default command({
  name: 'routes',
  positionals: '<action> [labels]',
  summary: 'Who is notified of which alert: test, show, diff, coverage',
  examples: ["vestal routes show -i inventory/ha 'namespace=payments,severity=critical'"],
  options: (args: Argv) =>
    commonOptions(args)
      .positional('action', {
        choices: ['test', 'show', 'diff', 'coverage'] as const,
        demandOption: true,
        describe:
          "test: the teams' cases; show: who is notified of LABELS; diff: which notifications would change; coverage: what no team owns",
      })
      .positional('labels', {
        type: 'string',
        describe: "For show: an alert's labels, 'namespace=payments,severity=critical'",
      })
      .option('at', { type: 'string', requiresArg: true, describe: 'For show: the time, such as 2026-01-05T10:00:00Z' })
      .option('days', {
        type: 'number',
        default: 3,
        requiresArg: true,
        describe: 'For diff and coverage: alerts of how many days back are looked at; 0 for those firing now alone',
      })
      .option('exit-code', {
        type: 'boolean',
        default: false,
        describe: 'For diff: exit 3 when a notification would change',
      }),
  run: routes,
})
