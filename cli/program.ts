import yargs, { type Argv } from 'yargs'
import type { Command } from './command.ts'
import { usageError } from './usage.ts'
import { version } from './version.ts'

type HostTasks = () => Promise<number>

/**
 * The command line over some commands. A handler only hands over the chosen command's work, which returns an exit code: what runs inside a
 * handler would be followed by the help text being made, in case it fails.
 */
export const program = (words: readonly string[], commands: readonly Command[], choose: (work: HostTasks) => void) => {
  const empty = yargs([...words])
    .scriptName('vestal')
    .usage(
      '$0 <command>\n\nDeploys and operates a highly available Prometheus and Alertmanager fleet on plain machines over SSH.',
    )
  return commands
    .reduce(
      (all, { name, positionals = '', summary, options, run }) =>
        all.command(
          `${name} ${positionals}`.trim(),
          summary,
          (args) => options(args as Argv, words),
          (flags) => choose(() => run(flags)),
        ),
      empty,
    )
    .completion('completion', 'Print a completion script for your shell')
    .demandCommand(1, 'Which command?')
    .recommendCommands()
    .strict()
    .version(version())
    .exitProcess(false)
    .parserConfiguration({ 'populate--': true })
    .fail((message, error) => {
      throw usageError(message, error, 'See vestal --help.')
    })
}
