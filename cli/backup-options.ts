import type { Argv } from 'yargs'
import type { JobFlags } from './jobs.ts'
import { commonOptions } from './options.ts'

export interface BackupFlags extends JobFlags {
  readonly to: string
}
export interface RestoreFlags extends JobFlags {
  readonly from: string
  readonly yes: boolean
}

export const backupOptions = (args: Argv): Argv =>
  jobOptions(args).option('to', {
    type: 'string',
    demandOption: true,
    requiresArg: true,
    describe: 'The folder to write to: a folder for each host in it',
  })

export const restoreOptions = (args: Argv): Argv =>
  jobOptions(args)
    .option('from', {
      type: 'string',
      demandOption: true,
      requiresArg: true,
      describe: 'The folder that a backup was written to',
    })
    .option('yes', { alias: 'y', type: 'boolean', default: false, describe: 'Do not ask before changing' })

const jobOptions = (args: Argv): Argv =>
  commonOptions(args).option('break-lock', {
    type: 'string',
    array: true,
    nargs: 1,
    requiresArg: true,
    default: [] as string[],
    coerce: (values: readonly string[] | undefined) => values?.flatMap((value) => value.split(',')).filter(Boolean),
    describe: 'Take the lock of this host from another run',
  }) as Argv
