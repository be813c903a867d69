import type { Argv } from 'yargs'
import { type ChangeFlags, changeOptions } from './options.ts'

export interface RollFlags extends ChangeFlags {
  readonly prometheus?: string
  readonly alertmanager?: string
  readonly nodeExporter?: string
  readonly serial?: number
  readonly maxFail?: number
  readonly canaryFirst: boolean
  readonly resume: boolean
  readonly allowOneWay: boolean
  readonly dryRun: boolean
}

/** The flags of `rolling-upgrade`. */
export const rollOptions = (args: Argv) =>
  changeOptions(args)
    .default('watch-alerts', true)
    .option('prometheus', { type: 'string', requiresArg: true, describe: 'The version of Prometheus to roll to' })
    .option('alertmanager', { type: 'string', requiresArg: true, describe: 'The version of Alertmanager to roll to' })
    .option('node-exporter', { type: 'string', requiresArg: true, describe: 'The version of node_exporter to roll to' })
    .option('serial', {
      type: 'number',
      requiresArg: true,
      describe:
        'How many Prometheus and other machines go at once, never two replicas of a shard; default: a quarter. Alertmanagers always go one at a time',
    })
    .option('max-fail', {
      type: 'number',
      default: 0,
      requiresArg: true,
      describe: 'How many hosts may fail, and be taken back, before the roll stops',
    })
    .option('canary-first', {
      type: 'boolean',
      default: false,
      describe: 'One Alertmanager and one Prometheus go before all others',
    })
    .option('resume', { type: 'boolean', default: false, describe: 'Go on with the last roll of this inventory' })
    .option('allow-one-way', {
      type: 'boolean',
      default: false,
      describe: 'Go also where the older version cannot read what the newer one writes; a snapshot is taken first',
    })
    .option('dry-run', { type: 'boolean', default: false, describe: 'Give advice and show the plan; change nothing' })
    .check(({ serial, 'max-fail': maxFail }) => {
      if (serial !== undefined && !(Number.isInteger(serial) && serial > 0))
        return '--serial takes a whole number from 1'
      return Number.isInteger(maxFail) && maxFail >= 0 ? true : '--max-fail takes a whole number from 0'
    })
