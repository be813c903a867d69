import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { type Manifest, readBackup } from '../../fleet/backup/manifest.ts'
import { finishRestore, prepareRestore, type Saved, swapBack, swapIn } from '../../fleet/backup/node.ts'
import { type Holder, holdersOf } from '../../fleet/stateful-services.ts'
import { InputError } from '../../lib/errors.ts'
import type { RestoreFlags } from '../backup-options.ts'
import { inLab, openInventory } from '../context.ts'
import { type Job, runJobs } from '../jobs.ts'
import { requireHosts } from '../usage.ts'

/**
 * Puts a backup back, one node at a time: its files are checked first, then sent beside what is in use, then exchanged while the service stands
 * still. Where it does not serve afterwards, what it had before is put back and the run ends. Silences come back without being doubled.
 */
export const restore = async (flags: RestoreFlags): Promise<number> => {
  const opened = await openInventory(flags)
  requireHosts('--break-lock', flags.breakLock, opened.hosts)
  const manifests = await readBackup(flags.from)
  const holders = holdersOf(opened.inventory, opened.hosts)
  const found = holders.flatMap((holder) => {
    const part = manifests.get(holder.host.name)?.parts.find(({ role }) => role === holder.role)
    return part ? [{ holder, saved: { folder: join(flags.from, holder.host.name), part } }] : []
  })
  requireSome(found, flags.from)
  requireReadable(found, manifests)
  const inside = await inLab(opened.hosts)
  if (inside !== null) return inside
  const names = found.map(({ holder }) => `${holder.role} on ${holder.host.name}`).join(', ')
  if (!(await agreed(flags, names))) return 1
  const jobs = found.map(({ holder, saved }) => jobOf(holder, saved))
  return runJobs(opened, flags, { name: 'restore', jobs, order: 'one by one' })
}

const jobOf = (holder: Holder, saved: Saved): Job => ({
  host: holder.host,
  task: `restore ${holder.role}`,
  async work({ tools, step, ask }) {
    await step(`send what ${holder.role} held`, () => prepareRestore(tools, holder, saved))
    await ask(holder.before())
    await step(`exchange the data of ${holder.role}`, () => swapIn(tools, holder, saved))
    try {
      await ask(holder.after())
    } catch (error) {
      await step('put back what was there before', () => swapBack(tools, holder))
      throw error
    }
    await step(`bring back silences, and clear up`, async () => {
      const made = await finishRestore(tools, holder, saved)
      return holder.role === 'alertmanager' ? `${made} silences made anew` : ''
    })
  },
})

const agreed = async (flags: RestoreFlags, names: string): Promise<boolean> => {
  if (flags.json || flags.yes || !process.stdin.isTTY || !process.stdout.isTTY) return true
  using questions = createInterface({ input: process.stdin, output: process.stdout })
  const answer = await questions
    .question(`What these hold now is replaced: ${names}.\nGo ahead? [y/N] `)
    .catch(() => 'no')
  const goAhead = /^y(es)?$/i.test(answer.trim())
  if (!goAhead) process.stdout.write('Not confirmed: nothing was changed.\n')
  return goAhead
}

interface Found {
  readonly holder: Holder
  readonly saved: Saved
}

const requireSome = (found: readonly Found[], folder: string): void => {
  if (found.length > 0) return
  const what = 'holds nothing of the hosts of this run'
  throw new InputError([{ where: folder, what, fix: 'vestal inventory lists the hosts; look at --limit' }])
}

/** A TSDB of Prometheus 3 can be read by 2.55 and later only (prometheus, docs/migration.md). */
const requireReadable = (found: readonly Found[], manifests: ReadonlyMap<string, Manifest>): void => {
  const number = (version: string): number => {
    const [major = 0, minor = 0] = version.split('.').map(Number)
    return major * 1_000 + minor
  }
  const unreadable = found.filter(
    ({ holder, saved }) =>
      holder.role === 'prometheus' && number(saved.part.version) >= 3_000 && number(holder.version) < 2_055,
  )
  if (unreadable.length === 0) return
  throw new InputError(
    unreadable.map(({ holder, saved }) => ({
      where: holder.host.name,
      what: `the backup of ${manifests.get(holder.host.name)?.at} is of Prometheus ${saved.part.version}, and ${holder.version} cannot read it`,
      fix: 'set prometheus.version to 2.55 or later, and deploy',
    })),
  )
}
