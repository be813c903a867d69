/** The checksum of a file that holds one and nothing else; undefined where it doesn't. */
export const onlySum = (text: string): string | undefined => /^\s*([0-9a-fA-F]{64})\s*$/.exec(text)?.[1]?.toLowerCase()

/** The checksum that a list in sha256sum(1)'s format has for a file; undefined where it has none. Names may stand in a folder. */
export const sumOf = (list: string, name: string): string | undefined => {
  for (const line of list.split(/\r?\n/)) {
    const [, sha256, found] = /^([0-9a-fA-F]{64})[ \t]+\*?(.+?)\s*$/.exec(line) ?? []
    if (found?.split('/').at(-1) === name) return sha256?.toLowerCase()
  }
  return undefined
}
