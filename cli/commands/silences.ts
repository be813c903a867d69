import { resolve } from 'node:path'
import { stringify } from 'yaml'
import { createSilence, silencesOf } from '../../lib/api/alertmanager.ts'
import { connectionPool } from '../../lib/engine/pool.ts'
import { compareSilences, type Silence, written } from '../../lib/routing/silence.ts'
import { silencesIn } from '../../lib/routing/silence-files.ts'
import { alertmanagersAmong } from '../../roles/alertmanager/peers.ts'
import { connecting } from '../connecting.ts'
import { inLab, openInventory } from '../context.ts'
import type { SilencesFlags } from './routes/options.ts'

/**
 * Silences as files: `export` prints those that are in force or to come, `diff` compares them with the files, `import` creates what only
 * the files have. None is ever created twice, and none that is over.
 */
export const silences = async (flags: SilencesFlags): Promise<number> => {
  const { inventory, hosts } = await openInventory(flags)
  const wanted = flags.action === 'export' ? [] : silencesIn(resolve(flags.folder ?? `${inventory.folder}/silences`))
  const inside = await inLab(hosts)
  if (inside !== null) return inside
  await using pool = connectionPool(connecting(flags))
  const members = alertmanagersAmong(hosts)
  const held = await silencesOf(pool.reach, members)
  if (flags.action === 'export') {
    const list = held.map(written)
    print(flags.json ? JSON.stringify({ vestal: 'silences-export/1', silences: list }, null, 2) : stringify(list))
    return 0
  }
  const { missing, extra, same } = compareSilences(wanted, held, new Date())
  const created = flags.action === 'import' ? missing : []
  for (const one of created) await createSilence(pool.reach, members, one)
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
  return `${matchers.join(', ')} until ${endsAt}, ${createdBy}: ${comment}`
}

const print = (text: string): void => void process.stdout.write(`${text}\n`)
