/** What is measured is what a user installs: the compiled package, not the sources of the clone. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

/** Compiles the clone and returns the `vestal` of a copy without sources, laid out as an installed package. Throws an Error where it does not compile. */
export const compiledVestal = (into: string): string => {
  const { status, stdout, stderr } = spawnSync('npm', ['run', 'build'], { cwd: ROOT, encoding: 'utf8' })
  if (status !== 0) throw new Error(`npm run build failed:\n${stdout}${stderr}`)
  const folder = join(into, 'installed')
  mkdirSync(join(folder, 'cli'), { recursive: true })
  for (const part of ['package.json', 'cli/vestal.js', 'dist'])
    cpSync(join(ROOT, part), join(folder, part), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  return join(folder, 'cli/vestal.js')
}
