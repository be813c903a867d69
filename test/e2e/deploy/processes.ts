/** What every process of this box says of itself, those of lab hosts too: their processes are this kernel's. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { runs } from '../vestal.ts'

export interface ProcessWatch {
  /** Returns each command line or environment that held one of the texts, and how often all of them were looked at. */
  stop(): Promise<{ readonly found: readonly string[]; readonly looks: number }>
}

/**
 * Looks at the command line and environment of every process, again and again, for any of these texts. Environments of what these tests
 * started are left out: that is how they were given secrets.
 */
export const watchProcesses = (texts: readonly string[]): ProcessWatch => {
  const found = new Set<string>()
  let looks = 0
  let ended = false
  const watching = (async () => {
    while (!ended) {
      for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
        const command = read(`/proc/${pid}/cmdline`)
        const environment = read(`/proc/${pid}/environ`)
        if (texts.some((text) => command.includes(text))) found.add(`arguments of ${command.replaceAll('\0', ' ')}`)
        if (!environment.includes(`VESTAL_RUNS=${runs}`) && texts.some((text) => environment.includes(text)))
          found.add(`environment of ${command.replaceAll('\0', ' ')}`)
      }
      looks += 1
      await sleep(20)
    }
  })()
  return {
    async stop() {
      ended = true
      await watching
      return { found: [...found], looks }
    },
  }
}

/** Empty for a process that has ended. */
const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
