/**
 * Releases that run on any Debian, as upstream's do: Debian's own builds, which the lab's mirror is made of, want the C library of bookworm or
 * later. A mirror of its own, laid out as upstream lays its releases out; Prometheus, which the oldest hosts don't run, is that of the lab's.
 */
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { architecture } from '../../lib/lab/debian.ts'
import { claimRoot } from '../../lib/lab/own.ts'
import { labMirror, labRoot } from '../../lib/lab/places.ts'
import { binaryOf, putRelease, type Tool, whileNobodyCompiles } from '../go-tools.ts'

/** Its folder. */
export const staticMirror = (): string => join(labRoot(), 'static-mirror')

interface Release {
  readonly name: string
  readonly version: string
  /** The packages of its binaries, by their names. */
  readonly binaries: Readonly<Record<string, string>>
}
const alertmanager = (version: string): Release => ({
  name: 'alertmanager',
  version,
  binaries: { alertmanager: '/cmd/alertmanager', amtool: '/cmd/amtool' },
})
const nodeExporter = (version: string): Release => ({ name: 'node_exporter', version, binaries: { node_exporter: '' } })
/** Versions that Debian's archive has as well, for the other hosts. */
const RELEASES = [alertmanager('0.25.0'), alertmanager('0.28.1'), nodeExporter('1.9.0'), nodeExporter('1.11.1')]

/** Makes what is missing of it. Returns null, or why that can't be done here. Takes about five minutes on 2 cores the first time. */
export const ensureStatic = async (say: (what: string) => void): Promise<string | null> => {
  const { go } = await architecture()
  claimRoot()
  return whileNobodyCompiles(async () => {
    const prometheus = join(staticMirror(), 'prometheus', 'prometheus')
    mkdirSync(dirname(prometheus), { recursive: true })
    rmSync(prometheus, { force: true })
    symlinkSync(join(labMirror(), 'prometheus', 'prometheus'), prometheus)
    for (const one of RELEASES) {
      const { name, version } = one
      const title = `${name}-${version}.linux-${go}`
      const release = join(staticMirror(), 'prometheus', name, 'releases/download', `v${version}`)
      if (existsSync(join(release, `${title}.tar.gz`))) continue
      const binaries = binariesOf(one, say)
      if (binaries === null) return 'there is no Go 1.25 or later that could compile Alertmanager and node_exporter'
      await putRelease(release, title, binaries)
    }
    return null
  })
}

const binariesOf = (release: Release, say: (what: string) => void): Readonly<Record<string, string>> | null => {
  const built = Object.entries(release.binaries).map(
    ([name, folder]) => [name, binaryOf(toolOf(release, name, folder), say)] as const,
  )
  const whole = built.flatMap(([name, file]) => (file === undefined ? [] : [[name, file] as const]))
  return whole.length === built.length ? Object.fromEntries(whole) : null
}

const toolOf = ({ name, version }: Release, binary: string, folder: string): Tool => ({
  name: `${binary}-${version}`,
  module: join(import.meta.dirname, `${name}-${version}`),
  package: `github.com/prometheus/${name}${folder}`,
  flags: ['-tags', 'netgo', '-ldflags', `-s -w -X github.com/prometheus/common/version.Version=${version}`],
  minor: 25,
})
