import type { Argv } from 'yargs'
import { type CommonFlags, commonOptions } from '../../options.ts'

export interface RoutesFlags extends CommonFlags {
  readonly action: 'test' | 'show' | 'diff' | 'coverage'
  readonly labels?: string
  readonly at?: string
  readonly days: number
  readonly exitCode: boolean
}
export interface SilencesFlags extends CommonFlags {
  readonly action: 'export' | 'diff' | 'import'
  readonly folder?: string
}

export const routesOptions = (args: Argv) =>
  commonOptions(args)
    .positional('action', {
      choices: ['test', 'show', 'diff', 'coverage'] as const,
      demandOption: true,
      describe:
        "test: the teams' cases; show: who is told of LABELS; diff: who would be told otherwise; coverage: what no team owns",
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
      describe: 'For diff: exit 3 when somebody would be told otherwise',
    })

export const silencesOptions = (args: Argv) =>
  commonOptions(args)
    .positional('action', { choices: ['export', 'diff', 'import'] as const, demandOption: true })
    .positional('folder', {
      type: 'string',
      describe: 'Where the files of silences are; default: `silences` beside the inventory',
    })
