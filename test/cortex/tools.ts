/**
 * Cortex and an S3 server for the lab: `npm run lab:cortex`. The first goes into the lab's release mirror as upstream lays its releases out, the
 * second to where the lab looks for it.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { architecture } from '../../lib/lab/debian.ts'
import { rclonePath } from '../../lib/lab/object-store.ts'
import { claimRoot } from '../../lib/lab/own.ts'
import { labMirror } from '../../lib/lab/places.ts'
import { binaryOf, put, type Tool, whileNobodyCompiles } from '../go-tools.ts'

/** What the tests and the example run. */
export const CORTEX_VERSION = '1.21.1'

const CORTEX: Tool = {
  name: 'cortex',
  module: import.meta.dirname,
  package: 'github.com/cortexproject/cortex/cmd/cortex',
  // As upstream's Makefile builds its releases. Without `slicelabels` it panics.
  flags: ['-tags', 'netgo,slicelabels', '-ldflags', `-s -w -X main.Branch=HEAD -X main.Version=${CORTEX_VERSION}`],
  variable: 'VESTAL_CORTEX',
  minor: 25,
}
const RCLONE: Tool = {
  name: 'rclone',
  module: join(import.meta.dirname, '../s3'),
  package: '.',
  flags: ['-ldflags', '-s -w'],
  variable: 'VESTAL_RCLONE',
  minor: 25,
}

/**
 * Puts both where labs find them, once. Returns null, or why that can't be done here and what to set. Takes about three minutes on 2 cores the
 * first time.
 */
export const ensureCortex = async (say: (what: string) => void): Promise<string | null> => {
  const { go } = await architecture()
  const file = `cortex-linux-${go}`
  const release = join(labMirror(), 'cortexproject/cortex/releases/download', `v${CORTEX_VERSION}`)
  if (existsSync(join(release, `${file}-sha-256`)) && existsSync(rclonePath())) return null
  return whileNobodyCompiles(async () => {
    const [cortex, rclone] = [binaryOf(CORTEX, say), binaryOf(RCLONE, say)]
    if (!cortex || !rclone)
      return `there is no Go 1.25 or later that could compile Cortex: install it, or let ${CORTEX.variable} and ${RCLONE.variable} name binaries of Cortex ${CORTEX_VERSION} and of rclone`
    claimRoot()
    put(rclone, rclonePath())
    put(cortex, join(release, file))
    const sum = createHash('sha256').update(readFileSync(cortex)).digest('hex')
    writeFileSync(join(release, `${file}-sha-256`), `${sum}\n`)
    return null
  })
}

/** Cortex's binary, compiled where it isn't yet. Throws an Error where it can't be had. */
export const cortexBinary = async (say: (what: string) => void): Promise<string> => {
  const binary = await whileNobodyCompiles(async () => binaryOf(CORTEX, say))
  if (!binary)
    throw new Error(`there is no Go 1.25 or later: let ${CORTEX.variable} name a binary of Cortex ${CORTEX_VERSION}`)
  return binary
}

if (import.meta.main) {
  const why = await ensureCortex((what) => console.log(what))
  if (why !== null) console.error(why)
  else console.log(`Cortex ${CORTEX_VERSION} and the object store are there: vestal lab up`)
  process.exitCode = why === null ? 0 : 1
}
