/** What is measured is what a user installs: the packed file, compiled, and not the sources of the clone. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { packed } from '../packed.ts'

/** Packs the clone and returns the `vestal` of the unpacked file, with what it depends on from the clone. Throws an Error where it does not compile. */
export const compiledVestal = (into: string): string => {
  const folder = join(into, 'installed')
  mkdirSync(folder)
  execFileSync('tar', ['-xzf', packed(into), '--strip-components=1', '-C', folder])
  symlinkSync(join(import.meta.dirname, '../../node_modules'), join(folder, 'node_modules'))
  return join(folder, 'cli/vestal.js')
}
