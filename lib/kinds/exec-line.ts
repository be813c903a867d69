/** Words for `ExecStart=`, quoted so that the process's argument list is exactly `args`. */
export const execLine = (args: readonly string[]): string => args.map((arg) => `"${arg}"`).join(' ')
