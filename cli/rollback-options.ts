import type { Argv } from 'yargs'
import { type ChangeFlags, changeOptions } from './options.ts'

export interface RollbackFlags extends ChangeFlags {
  readonly run?: string
  readonly restoreData: boolean
}

/** The flags of `rollback`. */
export const rollbackOptions = (args: Argv): Argv =>
  changeOptions(args)
    .default('watch-alerts', true)
    .option('run', {
      type: 'string',
      requiresArg: true,
      describe: "The run whose change is taken back; default: each host's last",
    })
    .option('restore-data', {
      type: 'boolean',
      default: false,
      describe:
        'Put the snapshot from before a one-way upgrade in the place of data that the older Prometheus cannot read',
    })
