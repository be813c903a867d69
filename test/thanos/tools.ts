/**
 * Thanos for the lab: `npm run lab:thanos`. It goes into the lab's release mirror as upstream lays its releases out: a tarball and
 * its checksum.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { architecture } from '../../lib/lab/debian.ts'
import { claimRoot } from '../../lib/lab/own.ts'
import { labMirror } from '../../lib/lab/places.ts'
import { binaryOf, putRelease, type Tool, whileNobodyCompiles } from '../go-tools.ts'

/** What the tests and the example run. */
export const THANOS_VERSION = '0.42.4'

const VERSION = 'github.com/prometheus/common/version'
const THANOS: Tool = {
  name: 'thanos',
  module: import.meta.dirname,
  package: 'github.com/thanos-io/thanos/cmd/thanos',
  // As upstream's .promu.yml builds its releases. Without `slicelabels` a sidecar panics at its first query.
  flags: ['-tags', 'netgo,slicelabels', '-ldflags', `-s -w -X ${VERSION}.Version=${THANOS_VERSION}`],
  variable: 'VESTAL_THANOS',
  minor: 26,
}

/**
 * Puts it where labs find it, once. Returns null, or why that can't be done here and what to set. Takes about three minutes on 2 cores the
 * first time.
 */
export const ensureThanos = async (say: (what: string) => void): Promise<string | null> => {
  const { go } = await architecture()
  const title = `thanos-${THANOS_VERSION}.linux-${go}`
  const release = join(labMirror(), 'thanos-io/thanos/releases/download', `v${THANOS_VERSION}`)
  const there = () => existsSync(join(release, `${title}.tar.gz`))
  if (there()) return null
  return whileNobodyCompiles(async () => {
    if (there()) return null
    const thanos = binaryOf(THANOS, say)
    if (!thanos)
      return `there is no Go 1.26 or later that could compile Thanos: install it, or let ${THANOS.variable} name a binary of Thanos ${THANOS_VERSION}`
    claimRoot()
    await putRelease(release, title, { thanos })
    return null
  })
}

if (import.meta.main) {
  const why = await ensureThanos((what) => console.log(what))
  if (why !== null) console.error(why)
  else console.log(`Thanos ${THANOS_VERSION} is there: vestal lab up`)
  process.exitCode = why === null ? 0 : 1
}
