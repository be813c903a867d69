/** A process's command line as flags, in each way that the programs of the Prometheus project take one. */
export interface CommandFlags {
  /** Every value of each flag; true where it was given without one, false for `--no-name`. */
  readonly flags: ReadonlyMap<string, readonly (string | boolean)[]>
  /** Words that are no flags. */
  readonly words: readonly string[]
}

/**
 * Flags by name, without dashes. `--name value` is read as a flag with a value where the next word doesn't look like a flag: a boolean flag takes
 * none behind a space (kingpin's parser), and these programs take no other words.
 */
export const commandFlags = (command: readonly string[]): CommandFlags => {
  const flags = new Map<string, (string | boolean)[]>()
  const words: string[] = []
  const add = (name: string, value: string | boolean): void => void flags.set(name, [...(flags.get(name) ?? []), value])
  for (let at = 1; at < command.length; at += 1) {
    const word = command[at] ?? ''
    const [, name, value] = /^--?([A-Za-z][\w.-]*)(?:=(.*))?$/s.exec(word) ?? []
    const next = command[at + 1]
    if (name === undefined) words.push(word)
    else if (value !== undefined) add(name, value)
    else if (next !== undefined && !next.startsWith('-')) {
      add(name, next)
      at += 1
    } else if (name.startsWith('no-')) add(name.slice(3), false)
    else add(name, true)
  }
  return { flags, words: words.filter((word) => word !== '') }
}
