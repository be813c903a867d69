/**
 * Cortex and an S3 server for the lab: `npm run lab:cortex`. Both are compiled once by the machine's Go from the Go module registry, pinned by
 * the go.sum beside this file and in ../s3, into a cache outside of this tree; or taken from where VESTAL_CORTEX and VESTAL_RCLONE say. The
 * first goes into the lab's release mirror as upstream lays its releases out, the second to where the lab looks for it.
 */
import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { architecture } from '../../lib/lab/debian.ts'
import { withLock } from '../../lib/lab/lock.ts'
import { rclonePath } from '../../lib/lab/object-store.ts'
import { claimRoot } from '../../lib/lab/own.ts'
import { labMirror } from '../../lib/lab/places.ts'

interface Tool {
  readonly name: string
  /** The folder of its go.mod and go.sum. */
  readonly module: string
  readonly package: string
  readonly flags: readonly string[]
  /** Names a binary that is taken in place of one that is compiled. */
  readonly variable: string
}

/** What the tests and the example run. */
export const CORTEX_VERSION = '1.21.1'

const CORTEX: Tool = {
  name: 'cortex',
  module: import.meta.dirname,
  package: 'github.com/cortexproject/cortex/cmd/cortex',
  // As upstream's Makefile builds its releases. Without `slicelabels` it panics.
  flags: ['-tags', 'netgo,slicelabels', '-ldflags', `-s -w -X main.Branch=HEAD -X main.Version=${CORTEX_VERSION}`],
  variable: 'VESTAL_CORTEX',
}
const RCLONE: Tool = {
  name: 'rclone',
  module: join(import.meta.dirname, '../s3'),
  package: '.',
  flags: ['-ldflags', '-s -w'],
  variable: 'VESTAL_RCLONE',
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
  return withLock(join(cache(), 'lock'), async () => {
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
  const binary = await withLock(join(cache(), 'lock'), async () => binaryOf(CORTEX, say))
  if (!binary)
    throw new Error(`there is no Go 1.25 or later: let ${CORTEX.variable} name a binary of Cortex ${CORTEX_VERSION}`)
  return binary
}

const cache = (): string => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'vestal', 'test-tools')

/** Its file; undefined where there is no Go. Throws an Error with Go's words where it does not compile. */
const binaryOf = (tool: Tool, say: (what: string) => void): string | undefined => {
  const given = process.env[tool.variable]
  if (given) return given
  const version = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' })
  const [, minor = '0'] = /^go1\.(\d+)/.exec(version.stdout ?? '') ?? []
  if (version.status !== 0 || Number(minor) < 25) return undefined
  const hash = createHash('sha256').update(version.stdout).update(tool.flags.join())
  for (const name of ['go.mod', 'go.sum']) hash.update(readFileSync(join(tool.module, name)))
  const built = join(cache(), `${tool.name}-${hash.digest('hex').slice(0, 16)}`)
  if (existsSync(built)) return built
  say(`compiling ${tool.name} with Go, once (Cortex takes about three minutes)`)
  mkdirSync(cache(), { recursive: true })
  const draft = `${built}.${randomBytes(4).toString('hex')}`
  const { status, stderr } = spawnSync('go', ['build', '-trimpath', ...tool.flags, '-o', draft, tool.package], {
    cwd: tool.module,
    encoding: 'utf8',
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' },
    maxBuffer: 64 * 1024 * 1024,
  })
  if (status !== 0) throw new Error(`${tool.name} does not compile: ${stderr.trim().split('\n').slice(-5).join('\n')}`)
  renameSync(draft, built)
  return built
}

const put = (from: string, to: string): void => {
  mkdirSync(dirname(to), { recursive: true })
  const draft = `${to}.${randomBytes(4).toString('hex')}`
  copyFileSync(from, draft)
  renameSync(draft, to)
}

if (import.meta.main) {
  const why = await ensureCortex((what) => console.log(what))
  if (why !== null) console.error(why)
  else console.log(`Cortex ${CORTEX_VERSION} and the object store are there: vestal lab up`)
  process.exitCode = why === null ? 0 : 1
}
