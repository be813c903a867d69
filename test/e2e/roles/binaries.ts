import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compare } from 'semver'
import { labMirror } from '../../../lib/lab/places.ts'

export type ProgramName = 'prometheus' | 'alertmanager' | 'node_exporter'

/** The versions of a program in the lab's mirror, oldest first. */
export const versionsOf = (program: ProgramName): readonly string[] =>
  readdirSync(releases(program))
    .map((name) => name.replace(/^v/, ''))
    .sort(compare)

/** The folder of one version's binaries, unpacked once. */
export const unpacked = (program: ProgramName, version: string): string => {
  const folder = join(tmpdir(), 'vestal-test-binaries', `${program}-${version}`)
  if (existsSync(folder)) return folder
  const from = `${releases(program)}/v${version}`
  // A mirror may have them for other processors too.
  const ours = new RegExp(`linux.${process.arch === 'x64' ? 'amd64' : process.arch}\\.tar\\.gz$`)
  const tarball = readdirSync(from).find((name) => ours.test(name))
  if (!tarball) throw new Error(`no tarball in ${from}`)
  const fresh = mkdtempSync(join(tmpdir(), 'vestal-unpack-'))
  execFileSync('tar', ['-xzf', join(from, tarball), '-C', fresh, '--strip-components=1'])
  execFileSync('mkdir', ['-p', join(folder, '..')])
  try {
    renameSync(fresh, folder)
  } catch (error) {
    if (!existsSync(folder)) throw error
    rmSync(fresh, { recursive: true })
  }
  return folder
}

const releases = (program: ProgramName): string => `${labMirror()}/prometheus/${program}/releases/download`
