import type { HostKeyLine } from './known-hosts.ts'
import { readKnownHosts } from './known-hosts-file.ts'

/** The lines of known_hosts files, each file read once. */
export interface HostKeys {
  lines(files: readonly string[]): readonly HostKeyLine[]
  /** To be called when a file has been written to. */
  changed(): void
}

/** Returns an empty memory of known_hosts files. */
export const hostKeys = (): HostKeys => {
  const known = new Map<string, readonly HostKeyLine[]>()
  return {
    lines(files) {
      const found = known.get(files.join('\n')) ?? readKnownHosts(files)
      known.set(files.join('\n'), found)
      return found
    },
    changed: () => known.clear(),
  }
}
