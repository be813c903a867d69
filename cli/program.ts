import yargs from 'yargs'
import { type BackupFlags, backupOptions, type RestoreFlags, restoreOptions } from './backup-options.ts'
import { type RoutesFlags, routesOptions, type SilencesFlags, silencesOptions } from './commands/routes/options.ts'
import type { StatusFlags } from './commands/status.ts'
import {
  type AddNodeFlags,
  addNodeOptions,
  type RemoveNodeFlags,
  type ReplaceNodeFlags,
  removeNodeOptions,
  replaceNodeOptions,
} from './node-options.ts'
import {
  type ChangeFlags,
  type CommonFlags,
  changeOptions,
  commonOptions,
  type PlanFlags,
  planOptions,
} from './options.ts'
import { type RollFlags, rollOptions } from './roll-options.ts'
import { type RollbackFlags, rollbackOptions } from './rollback-options.ts'
import { usageError } from './usage.ts'

type Work = () => Promise<number>

/**
 * The command line. A handler only hands over the chosen command's work, which loads its own code and returns an exit code: what
 * runs inside a handler would be followed by the help text being made, in case it fails.
 */
export const program = (words: readonly string[], choose: (work: Work) => void) =>
  yargs([...words])
    .scriptName('vestal')
    .usage(
      '$0 <command>\n\nDeploys and operates a highly available Prometheus and Alertmanager fleet on plain machines over SSH.',
    )
    .command('deploy', 'Bring every machine to what the inventory says', changeOptions, (flags) =>
      choose(async () => {
        const [{ runPlaybook }, { default: deploy }] = await Promise.all([
          import('./run-playbook.ts'),
          import('../playbooks/deploy.ts'),
        ])
        return runPlaybook(deploy, flags as unknown as ChangeFlags)
      }),
    )
    .command(
      'plan',
      'Show what deploy would change, and change nothing',
      (args) =>
        planOptions(args).option('exit-code', {
          type: 'boolean',
          default: false,
          describe: 'Exit 3 when something would change',
        }),
      (flags) =>
        choose(async () => {
          const [{ planPlaybook }, { default: deploy }] = await Promise.all([
            import('./run-playbook.ts'),
            import('../playbooks/deploy.ts'),
          ])
          return planPlaybook(deploy, flags as unknown as PlanFlags)
        }),
    )
    .command(
      'rolling-upgrade',
      'Roll versions and configuration out, one failure domain at a time; what fails is taken back',
      rollOptions(words),
      (flags) =>
        choose(async () => {
          const [{ rollingUpgradeCommand }, { rollingUpgrade }] = await Promise.all([
            import('./commands/rolling-upgrade.ts'),
            import('../playbooks/rolling-upgrade.ts'),
          ])
          return rollingUpgradeCommand(rollingUpgrade, flags as unknown as RollFlags)
        }),
    )
    .command(
      'rollback',
      'Take hosts back to what they ran before the last change, one failure domain at a time',
      rollbackOptions,
      (flags) =>
        choose(async () => {
          const [{ rollbackCommand }, { rollback }] = await Promise.all([
            import('./commands/rollback.ts'),
            import('../playbooks/rollback.ts'),
          ])
          return rollbackCommand(rollback, flags as unknown as RollbackFlags)
        }),
    )
    .command('check', 'Look for what would stop a deploy, before anything is changed', commonOptions, (flags) =>
      choose(async () => (await import('./commands/check.ts')).check(flags as unknown as CommonFlags)),
    )
    .command(
      'status',
      'Ask every service whether it really serves',
      (args) =>
        commonOptions(args).option('watch', {
          alias: 'w',
          type: 'boolean',
          default: false,
          describe: 'Look again every two seconds, until Ctrl-C',
        }),
      (flags) => choose(async () => (await import('./commands/status.ts')).status(flags as unknown as StatusFlags)),
    )
    .command(
      'inventory',
      'Show hosts, groups and variables as they are understood',
      (args) =>
        commonOptions(args).option('origin', {
          type: 'boolean',
          default: false,
          describe: 'Where each variable was written: file:line:column',
        }),
      (flags) =>
        choose(async () =>
          (await import('./commands/inventory.ts')).inventory(flags as unknown as CommonFlags & { origin: boolean }),
        ),
    )
    .command(
      'schema [of]',
      'Print the JSON Schema of inventories or of files of teams, for editors',
      (args) =>
        args
          .positional('of', { choices: ['inventory', 'teams'] as const, default: 'inventory' as const })
          .option('json', { type: 'boolean', default: true, describe: 'The schema is JSON in any case' }),
      (flags) => choose(async () => (await import('./commands/schema.ts')).schema(flags.of)),
    )
    .command(
      'routes <action> [labels]',
      'Who is told of which alert: test, show, diff, coverage',
      routesOptions,
      (flags) =>
        choose(async () => (await import('./commands/routes/routes.ts')).routes(flags as unknown as RoutesFlags)),
    )
    .command('silences <action> [folder]', 'Silences as files: export, diff, import', silencesOptions, (flags) =>
      choose(async () => (await import('./commands/silences.ts')).silences(flags as unknown as SilencesFlags)),
    )
    .command(
      'audit [run]',
      'List earlier runs, or show one',
      (args) =>
        args
          .positional('run', { type: 'string' })
          .option('json', { type: 'boolean', default: false, describe: 'Output for programs' }),
      (flags) => choose(async () => (await import('./commands/audit.ts')).audit(flags)),
    )
    .command('add-node <name>', 'Make a machine part of the fleet', addNodeOptions, (flags) =>
      choose(async () => {
        const [{ addNodeCommand }, { addNode }] = await Promise.all([
          import('./commands/add-node.ts'),
          import('../playbooks/add-node.ts'),
        ])
        return addNodeCommand(addNode, flags as unknown as AddNodeFlags)
      }),
    )
    .command('remove-node <name>', 'Take a machine, or a role of it, out of the fleet', removeNodeOptions, (flags) =>
      choose(async () => {
        const [{ removeNodeCommand }, { removeNode }] = await Promise.all([
          import('./commands/remove-node.ts'),
          import('../playbooks/remove-node.ts'),
        ])
        return removeNodeCommand(removeNode, flags as unknown as RemoveNodeFlags)
      }),
    )
    .command(
      'replace-node <old> <new>',
      'Put a new machine in the place of one that is gone',
      replaceNodeOptions,
      (flags) =>
        choose(async () => {
          const [{ replaceNodeCommand }, { replaceNode }] = await Promise.all([
            import('./commands/replace-node.ts'),
            import('../playbooks/replace-node.ts'),
          ])
          return replaceNodeCommand(replaceNode, flags as unknown as ReplaceNodeFlags)
        }),
    )
    .command('backup', 'Copy silences, notification logs and samples into a folder', backupOptions, (flags) =>
      choose(async () => (await import('./commands/backup.ts')).backup(flags as unknown as BackupFlags)),
    )
    .command('restore', 'Put a backup back, one node at a time', restoreOptions, (flags) =>
      choose(async () => (await import('./commands/restore.ts')).restore(flags as unknown as RestoreFlags)),
    )
    .command('lab <action> [words..]', 'Real machines on this one, to try things on', labOptions, (flags) =>
      choose(async () => (await import('./commands/lab.ts')).lab(flags)),
    )
    .completion('completion', 'Print a completion script for your shell')
    .demandCommand(1, 'Which command?')
    .recommendCommands()
    .strict()
    .version(false)
    .exitProcess(false)
    .parserConfiguration({ 'populate--': true })
    .fail((message, error) => {
      throw usageError(message, error, 'See vestal --help.')
    })

const labOptions = (args: ReturnType<typeof yargs>) =>
  args
    .positional('action', {
      choices: ['up', 'down', 'list', 'ssh', 'exec', 'notifications'] as const,
      demandOption: true,
    })
    .positional('words', {
      type: 'string',
      array: true,
      default: [] as string[],
      describe: 'ssh HOST, exec HOST -- COMMAND',
    })
    .option('name', { type: 'string', default: 'default', requiresArg: true, describe: 'Which lab' })
    .option('hosts', { type: 'number', default: 6, requiresArg: true, describe: 'How many machines `up` makes' })
    .option('clear', { type: 'boolean', default: false, describe: 'Forget the notifications received so far' })
    .option('json', { type: 'boolean', default: false, describe: 'Output for programs' })
