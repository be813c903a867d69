import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Argv } from 'yargs'
import { MANIFEST_NAME, type Manifest, type Part } from '../../fleet/backup/manifest.ts'
import { backUp } from '../../fleet/backup/node.ts'
import { statefulServicesOf } from '../../fleet/stateful-services.ts'
import { HostError, InputError } from '../../lib/errors.ts'
import type { Host } from '../../lib/model.ts'
import { command } from '../command.ts'
import { inLab, openContext } from '../context.ts'
import { type Job, type JobFlags, runJobs } from '../jobs.ts'
import { breakLockOption, commonOptions } from '../options.ts'
import { requireHosts } from '../usage.ts'

interface BackupFlags extends JobFlags {
  readonly to: string
}

/**
 * Copies silences, notification logs and samples of every host into a folder, while everything goes on serving. A host's folder appears
 * there when it is whole. Throws InputError for a folder that holds a backup of one of the hosts.
 */
const backup = async (flags: BackupFlags): Promise<number> => {
  await using opened = await openContext(flags)
  requireHosts('--break-lock', flags.breakLock, opened.hosts)
  const byHost = Map.groupBy(statefulServicesOf(opened.inventory, opened.hosts), ({ host }) => host)
  requireNew(
    flags.to,
    [...byHost.keys()].map(({ name }) => name),
  )
  const inside = await inLab(opened.hosts)
  if (inside !== null) return inside
  const jobs = [...byHost].map(
    ([host, services]): Job => ({
      host,
      task: 'backup',
      async work({ run, tools, step }) {
        const half = join(flags.to, `.${host.name}.part`)
        const clear = (): void => rmSync(half, { recursive: true, force: true })
        try {
          clear()
          mkdirSync(half, { recursive: true, mode: 0o700 })
          const parts: Part[] = []
          for (const service of services)
            parts.push(await step(`copy what ${service.role.key} holds`, () => backUp(tools, service, half)))
          const manifest: Manifest = { vestal: 'backup/1', host: host.name, run, at: new Date().toISOString(), parts }
          writeFileSync(join(half, MANIFEST_NAME), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 })
          renameSync(half, join(flags.to, host.name))
        } catch (error) {
          throw oursToo(host, error, clear)
        }
      },
    }),
  )
  return await runJobs(opened, flags, { name: 'backup', jobs, order: 'together' })
}

/** A full disk, or another trouble of ours, ends this host's backup and not the run. What was written of it goes, where that can be done. */
const oursToo = (host: Host, error: unknown, clear: () => void): unknown => {
  try {
    clear()
  } catch {
    // It is hidden, and the next backup removes it first.
  }
  const { code, message } = error as NodeJS.ErrnoException
  return typeof code === 'string' && !(error instanceof HostError)
    ? new HostError(host.name, message, { task: 'backup', hint: 'Look at the disk that the backup is written to.' })
    : error
}

const requireNew = (folder: string, names: readonly string[]): void => {
  const there = names.filter((name) => existsSync(join(folder, name)))
  if (names.length === 0)
    throw new InputError([
      { where: 'inventory', what: 'no host here has a role with data of its own, such as Prometheus' },
    ])
  if (there.length > 0)
    throw new InputError(
      there.map((name) => ({ where: join(folder, name), what: 'is there already', fix: 'give another folder' })),
    )
}

export default command({
  name: 'backup',
  summary: 'Copy silences, notification logs and samples into a folder',
  examples: ['vestal backup -i inventory/ha --to backups/monday'],
  options: (args: Argv) =>
    commonOptions(args).option('break-lock', breakLockOption).option('to', {
      type: 'string',
      demandOption: true,
      requiresArg: true,
      describe: 'The folder to write to: a folder for each host in it',
    }),
  run: backup,
})
