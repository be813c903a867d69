import { join } from 'node:path'
import type { Argv } from 'yargs'
import { type Manifest, readBackup } from '../../fleet/backup/manifest.ts'
import { checkSaved, finishRestore, prepareRestore, type Saved, swapBack, swapIn } from '../../fleet/backup/node.ts'
import { type StatefulService, statefulServicesOf } from '../../fleet/stateful-services.ts'
import { InputError, type Mistake } from '../../lib/errors.ts'
import { print } from '../../lib/report/print.ts'
import { command } from '../command.ts'
import { isAtTerminal, yes } from '../confirm.ts'
import { inLab, openContext } from '../context.ts'
import { type Job, type JobFlags, runJobs } from '../jobs.ts'
import { breakLockOption, commonOptions } from '../options.ts'
import { requireHosts } from '../usage.ts'

interface RestoreFlags extends JobFlags {
  readonly from: string
  readonly yes: boolean
}

/**
 * Puts a backup back, one node at a time: its files are checked first, then sent beside what is in use, then exchanged while the service stands
 * still. Where it does not serve afterwards, what it had before is put back and the run ends. Silences come back without being doubled.
 */
const restore = async (flags: RestoreFlags): Promise<number> => {
  await using opened = await openContext(flags)
  requireHosts('--break-lock', flags.breakLock, opened.inventory.hosts)
  const manifests = await readBackup(flags.from)
  const services = statefulServicesOf(opened.inventory, opened.hosts)
  const found = services.flatMap((service) => {
    const part = manifests.get(service.host.name)?.parts.find(({ role }) => role === service.role.key)
    return part ? [{ service, saved: { folder: join(flags.from, service.host.name), part } }] : []
  })
  requireSome(found, flags.from)
  requireReadable(found, manifests)
  const checked = await requireClean(found)
  const inside = await inLab(opened.hosts)
  if (inside !== null) return inside
  const names = found.map(({ service }) => `${service.role.key} on ${service.host.name}`).join(', ')
  if (!(await agreed(flags, names))) return 1
  const jobs = checked.map(({ service, saved }) => jobOf(service, saved))
  return await runJobs(opened, flags, { name: 'restore', jobs, order: 'one by one' })
}

const jobOf = (service: StatefulService, saved: Saved): Job => ({
  host: service.host,
  task: `restore ${service.role.key}`,
  async work({ tools, step, hold, ask }) {
    await step(`send what ${service.role.key} held`, () => prepareRestore(tools, service, saved))
    await hold(service.members)
    await ask(service.before())
    await step(`exchange the data of ${service.role.key}`, () => swapIn(tools, service, saved))
    try {
      await ask(service.after())
    } catch (error) {
      await step('put back what was there before', () => swapBack(tools, service))
      throw error
    }
    await step(`bring back silences, and clear up`, () => finishRestore(tools, service, saved))
  },
})

const agreed = async (flags: RestoreFlags, names: string): Promise<boolean> => {
  if (flags.json || flags.yes || !isAtTerminal()) return true
  const goAhead = await yes(`What these hold now is replaced: ${names}.\nGo ahead?`)
  if (!goAhead) print('Not confirmed: nothing was changed.')
  return goAhead
}

interface Found {
  readonly service: StatefulService
  readonly saved: Saved
}

const requireSome = (found: readonly Found[], folder: string): void => {
  if (found.length > 0) return
  const what = 'holds nothing of the hosts of this run'
  throw new InputError([{ where: folder, what, fix: 'vestal inventory lists the hosts; look at --limit' }])
}

/** All archives are read to their ends, and all that is wrong with them is said at once. */
const requireClean = async (found: readonly Found[]): Promise<readonly Found[]> => {
  const mistakes: Mistake[] = []
  const checked: Found[] = []
  for (const { service, saved } of found)
    try {
      checked.push({ service, saved: await checkSaved(service, saved) })
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      mistakes.push(...error.mistakes)
    }
  if (mistakes.length > 0) throw new InputError(mistakes)
  return checked
}

/** Where a role says which version can read what another has written. */
const requireReadable = (found: readonly Found[], manifests: ReadonlyMap<string, Manifest>): void => {
  const mistakes = found.flatMap(({ service, saved }): readonly Mistake[] => {
    const { host, role, data, version: reader } = service
    const { version: wrote } = saved.part
    const unreadable = wrote !== '' && reader !== '' ? data.unreadable?.({ wrote, reader }) : null
    if (!unreadable) return []
    const at = manifests.get(host.name)?.at
    return [
      {
        where: host.name,
        what: `the backup of ${at} is of ${role.title ?? role.name} ${wrote}, and ${reader} cannot read it`,
        fix: `set ${role.key}.version to ${unreadable.readers}, and deploy`,
      },
    ]
  })
  if (mistakes.length > 0) throw new InputError(mistakes)
}

export default command({
  name: 'restore',
  summary: 'Put a backup back, one node at a time',
  examples: ['vestal restore -i inventory/ha --from backups/monday --limit am-1'],
  options: (args: Argv) =>
    commonOptions(args)
      .option('break-lock', breakLockOption)
      .option('from', {
        type: 'string',
        demandOption: true,
        requiresArg: true,
        describe: 'The folder that a backup was written to',
      })
      .option('yes', { alias: 'y', type: 'boolean', default: false, describe: 'Do not ask before changing' }),
  run: restore,
})
