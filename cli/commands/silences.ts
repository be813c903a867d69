import { resolve } from 'node:path'
import { stringify } from 'yaml'
import type { Argv } from 'yargs'
import { makeSilence, silencesOfCluster } from '../../lib/api/alertmanager.ts'
import { onOneLine, print } from '../../lib/report/print.ts'
import { compareSilences, heldSilences, type Silence, wishOf, written } from '../../lib/routing/silence.ts'
import { silencesIn } from '../../lib/routing/silence-files.ts'
import { alertmanagersAmong } from '../../roles/alertmanager/peers.ts'
import { command } from '../command.ts'
import { inLab, openContext } from '../context.ts'
import { type CommonFlags, commonOptions } from '../options.ts'

interface SilencesFlags extends CommonFlags {
  readonly action: 'export' | 'diff' | 'import'
  readonly folder?: string
}

/**
 * Silences as files: `export` prints those that are in force or to come, `diff` compares them with the files, `import` creates what only
 * the files have. None is ever created twice, and none that is over.
 */
const silences = async (flags: SilencesFlags): Promise<number> => {
  await using context = await openContext(flags)
  const { inventory, hosts, pool, redacted } = context
  const wanted = flags.action === 'export' ? [] : silencesIn(resolve(flags.folder ?? `${inventory.folder}/silences`))
  const inside = await inLab(hosts)
  if (inside !== null) return inside
  const members = alertmanagersAmong(hosts)
  const held = redacted(heldSilences(await silencesOfCluster(pool.reach, members)))
  if (flags.action === 'export') {
    const list = held.map(written)
    print(flags.json ? JSON.stringify({ vestal: 'silences-export/1', silences: list }, null, 2) : stringify(list))
    return 0
  }
  const now = new Date()
  const { missing, extra, same } = compareSilences(wanted, held, now)
  const created = flags.action === 'import' ? missing : []
  for (const one of created) await makeSilence(pool.reach, members, wishOf(one, now))
  if (flags.json)
    print(
      JSON.stringify(
        {
          vestal: `silences-${flags.action}/1`,
          same,
          missing: missing.map(written),
          extra: extra.map(written),
          created: created.length,
        },
        null,
        2,
      ),
    )
  else {
    for (const one of missing) print(`${flags.action === 'import' ? 'created' : '+'} ${line(one)}`)
    for (const one of extra) print(`${flags.action === 'import' ? 'left alone' : '-'} ${line(one)}`)
    print(
      `${same} the same, ${missing.length} ${flags.action === 'import' ? 'created' : 'missing'}, ${extra.length} in no file`,
    )
  }
  return 0
}

const line = (silence: Silence): string => {
  const { matchers, endsAt, createdBy, comment } = written(silence)
  return onOneLine(`${matchers.join(', ')} until ${endsAt}, ${createdBy}: ${comment}`)
}

export default command({
  name: 'silences',
  positionals: '<action> [folder]',
  summary: 'Silences as files: export, diff, import',
  examples: ['vestal silences import -i inventory/ha'],
  options: (args: Argv) =>
    commonOptions(args)
      .positional('action', { choices: ['export', 'diff', 'import'] as const, demandOption: true })
      .positional('folder', {
        type: 'string',
        describe: 'Where the files of silences are; default: `silences` beside the inventory',
      }),
  run: silences,
})
