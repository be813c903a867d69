import type { Argv } from 'yargs'

/** Flags that every command about an inventory takes. */
export interface CommonFlags {
  readonly inventory: readonly string[]
  readonly limit?: string
  readonly forks: number
  readonly json: boolean
  readonly verbose: boolean
  readonly knownHosts?: string
  readonly privateKey?: string
  readonly acceptNewHostKeys: boolean
}
/** What `plan` takes beside them, and every command that may change machines. */
export interface RunFlags extends CommonFlags {
  readonly tags?: readonly string[]
  readonly diff: boolean
  readonly yes: boolean
  readonly breakLock: readonly string[]
}
export interface PlanFlags extends RunFlags {
  readonly exitCode: boolean
}
/** Flags of commands that may change machines. */
export interface ChangeFlags extends RunFlags {
  /** Send canary alerts through the fleet meanwhile, and tell what became of them. */
  readonly watchAlerts: boolean
  /** Matchers of silences that last as long as the run. */
  readonly silence: readonly string[]
}

/** An option that may be given again. */
export const listOption = (describe: string) =>
  ({ type: 'string', array: true, nargs: 1, requiresArg: true, describe }) as const
export const NONE: readonly string[] = []
/** For options whose values may also stand in one word, with commas. */
export const commas = <T extends readonly string[] | undefined>(values: T): T | readonly string[] =>
  values === undefined ? values : values.flatMap((value) => value.split(',')).filter(Boolean)
/** Of an option that has a default. */
export const givenCommas = (values: readonly string[]): readonly string[] => commas(values)

/** `--break-lock`, which commands that take hosts' locks have. */
export const breakLockOption = {
  ...listOption('Take the lock of this host from another run, whose script there is ended first'),
  default: NONE,
  coerce: givenCommas,
} as const

const inventoryOption = { ...listOption('Inventory file or folder; may be given again'), alias: 'i' } as const

export const commonOptions = (args: Argv) =>
  aboutHosts(args.option('inventory', { ...inventoryOption, demandOption: true }))
/** For a command that can do without an inventory. */
export const commonOptionsAlone = (args: Argv) => aboutHosts(args.option('inventory', inventoryOption))

const aboutHosts = <T>(args: Argv<T>) =>
  args
    .option('limit', {
      alias: 'l',
      type: 'string',
      requiresArg: true,
      describe: 'Only these hosts: an Ansible host pattern',
    })
    .option('forks', {
      alias: 'f',
      type: 'number',
      default: 50,
      requiresArg: true,
      describe: 'How many hosts are worked on at once',
    })
    .option('json', { type: 'boolean', default: false, describe: 'Output for programs' })
    .option('known-hosts', {
      type: 'string',
      requiresArg: true,
      describe: 'The known_hosts file that host keys are checked against',
    })
    .option('private-key', { type: 'string', requiresArg: true, describe: 'The SSH key to log in with' })
    .option('accept-new-host-keys', {
      type: 'boolean',
      default: false,
      describe: 'Remember keys of hosts not known yet; a changed key is still refused',
    })
    .option('verbose', { alias: 'v', type: 'boolean', default: false, describe: 'Say more' })
    .check(({ forks }) => (Number.isInteger(forks) && forks > 0 ? true : '--forks takes a whole number from 1'))

/** Flags of commands that change machines. One that watches unless told not to adds `.default('watch-alerts', true)`. */
export const changeOptions = (args: Argv) =>
  planOptions(args)
    .option('watch-alerts', {
      type: 'boolean',
      default: false,
      describe: 'Send canary alerts through the fleet meanwhile, and tell which were late, lost or notified twice',
    })
    .option('silence', {
      ...listOption('Silence alerts with these matchers while machines are changed; may be given again'),
      default: NONE,
    })

/** Flags of `plan`: those of a change that also mean something where nothing is changed. */
export const planOptions = (args: Argv) =>
  commonOptions(args)
    .option('tags', {
      ...listOption('Only tasks of these roles or tags; commas separate'),
      alias: 't',
      coerce: commas,
    })
    .option('diff', { alias: 'D', type: 'boolean', default: false, describe: 'Show how files change' })
    .option('yes', { alias: 'y', type: 'boolean', default: false, describe: 'Do not ask before changing' })
    .option('break-lock', breakLockOption)
