/** Packages as npm packs them. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const PROJECT = join(import.meta.dirname, '..')

/** Packs this tree, or fetches what `spec` names from the registry, into a new folder below `into`; returns the file. Throws an Error where npm fails. */
export const packed = (into: string, spec?: string): string => {
  const folder = mkdtempSync(join(into, 'packed-'))
  const words = ['pack', '--silent', '--pack-destination', folder, ...(spec === undefined ? [] : [spec])]
  execFileSync('npm', words, { cwd: spec === undefined ? PROJECT : folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const [file = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  return join(folder, file)
}
