import type { ArgumentsCamelCase, Argv } from 'yargs'

/** One command: the program, a playbook's own command line, help, completion and docs/commands.md are all made of it. */
export interface Command<B = void> {
  readonly name: string
  /** What stands on its command line without a flag, as yargs writes it: `<name>`. */
  readonly positionals?: string
  readonly summary: string
  readonly examples: readonly string[]
  /** `words` are those of the command line, for flags that depend on the inventory. */
  options(args: Argv, words: readonly string[]): Argv | Promise<Argv>
  /** Returns its exit code. Throws InputError before any machine is touched, and HostError. */
  run(flags: object, book: B): Promise<number>
}
interface Definition<F, B> extends Omit<Command<B>, 'options' | 'run'> {
  /** Its flags; their types are those of `run`. */
  options(args: Argv, words: readonly string[]): Argv<F> | Promise<Argv<F>>
  /** `book` is the playbook that it runs, for a command that has one of its own. */
  run(flags: ArgumentsCamelCase<F>, book: B): Promise<number>
}

/** A command. Its `run` is only ever given what its own `options` have parsed. */
export const command = <F, B = void>(definition: Definition<F, B>): Command<B> => definition as unknown as Command<B>

/** A command that is given its playbook here, so that it needn't import it: the playbook imports the command. */
export const withBook = <B>(one: Command<B>, book: B): Command => ({ ...one, run: (flags) => one.run(flags, book) })
