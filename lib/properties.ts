/** Lines of `NAME=value`, as `systemctl show` prints a unit's properties; other lines are passed over, and of two with one name the last counts. */
export const propertiesIn = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
