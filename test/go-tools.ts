/**
 * Programs that tests need and that no registry of packages has: compiled once by the machine's Go from the Go module registry, pinned by a go.sum,
 * into a cache outside of this tree; or taken from where a variable says.
 */
import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { run } from '../lib/lab/command.ts'
import { withLock } from '../lib/lab/lock.ts'

export interface Tool {
  readonly name: string
  /** The folder of its go.mod and go.sum. */
  readonly module: string
  readonly package: string
  readonly flags: readonly string[]
  /** Names a binary that is taken in place of one that is compiled. */
  readonly variable?: string
  /** The oldest Go that can, as in go1.N. */
  readonly minor: number
}

/** Does this while no other process compiles, or puts something where labs look for it. */
export const whileNobodyCompiles = <T>(work: () => Promise<T>): Promise<T> => withLock(join(cache(), 'lock'), work)

/** Its file; undefined where there is no Go that could. Throws an Error with Go's words where it does not compile. */
export const binaryOf = (tool: Tool, say: (what: string) => void): string | undefined => {
  const given = tool.variable === undefined ? undefined : process.env[tool.variable]
  if (given) return given
  const version = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' })
  const [, minor = '0'] = /^go1\.(\d+)/.exec(version.stdout ?? '') ?? []
  if (version.status !== 0 || Number(minor) < tool.minor) return undefined
  const hash = createHash('sha256').update(version.stdout).update(tool.flags.join())
  for (const name of ['go.mod', 'go.sum']) hash.update(readFileSync(join(tool.module, name)))
  const built = join(cache(), `${tool.name}-${hash.digest('hex').slice(0, 16)}`)
  if (existsSync(built)) return built
  say(`compiling ${tool.name} with Go, once: that may take three minutes`)
  mkdirSync(cache(), { recursive: true })
  const draft = `${built}.${randomBytes(4).toString('hex')}`
  const { status, stderr } = spawnSync('go', ['build', '-trimpath', ...tool.flags, '-o', draft, tool.package], {
    cwd: tool.module,
    encoding: 'utf8',
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off', GOTOOLCHAIN: 'local' },
    maxBuffer: 64 * 1024 * 1024,
  })
  if (status !== 0) throw new Error(`${tool.name} does not compile: ${stderr.trim().split('\n').slice(-5).join('\n')}`)
  renameSync(draft, built)
  return built
}

/** Copies a file to where it is looked for, whole or not at all. */
export const put = (from: string, to: string): void => {
  mkdirSync(dirname(to), { recursive: true })
  const draft = `${to}.${randomBytes(4).toString('hex')}`
  copyFileSync(from, draft)
  renameSync(draft, to)
}

/** Puts these binaries, by their names, into a mirror's folder of one release, as upstream lays it out: a tarball of this title, and its checksum. */
export const putRelease = async (
  release: string,
  title: string,
  binaries: Readonly<Record<string, string>>,
): Promise<void> => {
  mkdirSync(dirname(release), { recursive: true })
  const draft = mkdtempSync(`${release}.`)
  for (const [name, file] of Object.entries(binaries)) put(file, join(draft, title, name))
  const tarball = join(draft, `${title}.tar.gz`)
  const plain = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=a+rx,u+w']
  await run(['tar', '-C', draft, ...plain, '-I', 'gzip -1 -n', '-cf', tarball, title])
  rmSync(join(draft, title), { recursive: true })
  const sum = createHash('sha256').update(readFileSync(tarball)).digest('hex')
  writeFileSync(join(draft, 'sha256sums.txt'), `${sum}  ${basename(tarball)}\n`)
  rmSync(release, { recursive: true, force: true })
  renameSync(draft, release)
}

const cache = (): string => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'vestal', 'test-tools')
