/** What a deploy would write, tried on the controller by the target versions' own promtool and amtool, before a machine is touched. */
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { chmod, mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import pLimit from 'p-limit'
import { extract } from 'tar'
import { InputError } from '../lib/errors.ts'
import { type FileData, fileKind } from '../lib/kinds/file.ts'
import { type ReleaseData, releaseFolder, releaseKind } from '../lib/kinds/release.ts'
import type { Host, Inventory, Machine, Playbook } from '../lib/model.ts'
import { rolesGiven, scopeOf } from '../lib/playbook.ts'
import { cacheFolder } from '../lib/releases/cache.ts'
import { pinned } from '../lib/releases/pinned.ts'
import type { Release } from '../lib/releases/source.ts'
import { bytesOf, type Content, isSecret, Secret } from '../lib/secret.ts'
import { word } from '../lib/shell.ts'

/** Programs that check files without a server; what they check is whole in the file itself, or is left to the host. */
const TOOLS: readonly string[] = ['promtool', 'amtool']

/** A file as a host would get it, and the program that must take it. */
interface Trial {
  readonly path: string
  readonly hosts: readonly string[]
  readonly content: Content
  /** Of the release that it comes from, its words, with "$1" for the file. */
  readonly check: string
  readonly tool: string
  readonly release: Release
  readonly releases: string
}

/**
 * Tries every rendered file that promtool or amtool can judge by itself. What these programs can't be had for on this machine (another system or
 * architecture, a mirror out of reach) is left to the hosts, which try each file again before it is put in place, with all that it names beside it. A file that
 * passed once is not tried again. Throws InputError with what the programs say of the others, and of which file.
 */
export const checkRendered = async (
  inventory: Inventory,
  { hosts, book, signal }: { readonly hosts: readonly Host[]; readonly book: Playbook; readonly signal?: AbortSignal },
): Promise<void> => {
  const arch = process.platform === 'linux' ? ARCHITECTURES[process.arch] : undefined
  if (arch === undefined) return
  const limit = pLimit(4)
  const found = await Promise.all(
    trialsOf(inventory, hosts, book).map((one) => limit(() => mistakeIn(one, { inventory, arch, signal }))),
  )
  const refused = Map.groupBy(
    found.flatMap((one) => one ?? []),
    ({ path, what }) => JSON.stringify([path, what]),
  )
  if (refused.size === 0) return
  throw new InputError(
    [...refused.values()].map((same) => ({
      where: `${same[0]?.path} on ${[...new Set(same.flatMap(({ hosts: some }) => some))].join(', ')}`,
      what: same[0]?.what ?? '',
      fix: 'Change the setting, or the file of the inventory, that it comes from.',
    })),
  )
}

const ARCHITECTURES: Readonly<Record<string, Machine['arch']>> = { x64: 'amd64', arm64: 'arm64' }

/** Each file once, however many hosts get it. */
const trialsOf = (inventory: Inventory, hosts: readonly Host[], book: Playbook): readonly Trial[] => {
  const all = hosts.flatMap((host) => {
    const tasks = rolesGiven(book, host).flatMap((role) => role.tasks(scopeOf(role, host, inventory)))
    const releases = tasks
      .filter(({ kind }) => kind.name === releaseKind.name)
      .map(({ data }) => (data as ReleaseData).release)
    return tasks
      .filter(({ kind, desired }) => kind.name === fileKind.name && desired !== null)
      .flatMap(({ key, data }): readonly Trial[] => {
        const { content, validate = '' } = data as FileData
        for (const release of releases)
          for (const tool of release.binaries.filter((name) => TOOLS.includes(name))) {
            const program = `${releaseFolder(release.name, release.version)}/${tool} `
            if (content === undefined || !validate.startsWith(program)) continue
            const check = ALONE[validate.slice(program.length).split(' "')[0]?.split('=')[0] ?? '']
            if (check === undefined) continue
            return [
              {
                path: key,
                hosts: [host.name],
                content,
                check,
                tool,
                release,
                releases: addressOf(host.machine.releases),
              },
            ]
          }
        return []
      })
  })
  return [...Map.groupBy(all, (one) => `${one.path} ${keyOf(one, '')}`).values()].flatMap((same) =>
    same[0] ? [{ ...same[0], hosts: same.flatMap((one) => one.hosts) }] : [],
  )
}

/** How a file is checked by itself: a configuration without the files that it names, which stand on the host. */
const ALONE: Readonly<Record<string, string>> = {
  'check config': 'check config --syntax-only /dev/stdin',
  'check config --agent': 'check config --agent --syntax-only /dev/stdin',
  'check rules': 'check rules /dev/stdin',
  'check-config': 'check-config /dev/stdin',
}

const addressOf = (releases: string | Secret): string => (releases instanceof Secret ? releases.reveal() : releases)

const keyOf = ({ check, content }: Pick<Trial, 'check' | 'content'>, tool: string): string =>
  createHash('sha256').update(`${tool}\0${check}\0`).update(bytesOf(content)).digest('hex')

const mistakeIn = async (
  trial: Trial,
  {
    inventory,
    arch,
    signal,
  }: { readonly inventory: Inventory; readonly arch: Machine['arch']; readonly signal?: AbortSignal },
): Promise<Refused | null> => {
  const found = await toolOf(trial, { inventory, arch, signal })
  if (!found) return null
  const passed = join(passedFolder(), keyOf(trial, found.sha256))
  if (await isThere(passed)) return null
  const { code, said } = await tried(found.path, trial)
  if (code === 0) {
    await mkdir(passedFolder(), { recursive: true, mode: 0o700 })
    await writeFile(passed, '', { mode: 0o600 })
    return null
  }
  if (code === null || LACKING.test(said)) return null
  const words = said.replaceAll('/dev/stdin', trial.path)
  return {
    path: trial.path,
    hosts: trial.hosts,
    what: `${trial.tool} ${trial.release.version} refuses it: ${isSecret(trial.content) ? withoutValues(words) : words}`,
  }
}

/** They quote the beginning of a value that they can't take, which may be that of a secret. */
const withoutValues = (words: string): string => words.replaceAll(/`[^`]*`|"[^"]*"/g, '[…]')

interface Refused {
  readonly path: string
  readonly hosts: readonly string[]
  readonly what: string
}

/** What is amiss with the program here and not with the file: a flag that an old version doesn't know; templates that Debian's build has in a package of its own. */
const LACKING = /unknown long flag|default\.tmpl|email\.tmpl|cannot execute|not found$/

const passedFolder = (): string => join(cacheFolder(), 'passed')

const isThere = async (path: string): Promise<boolean> => {
  const now = new Date()
  return utimes(path, now, now).then(
    () => true,
    () => false,
  )
}

const unpacking = new Map<string, Promise<string | null>>()

/** The program on this machine, unpacked once; null where its release can't be had for it. */
const toolOf = async (
  { release, releases, tool }: Trial,
  {
    inventory,
    arch,
    signal,
  }: { readonly inventory: Inventory; readonly arch: Machine['arch']; readonly signal?: AbortSignal },
): Promise<{ readonly path: string; readonly sha256: string } | null> => {
  try {
    const { sha256, fetched } = await pinned(inventory, releases, { ...release, arch }, signal)
    const path = join(cacheFolder(), 'tools', sha256, tool)
    const unpacked = unpacking.get(path) ?? unpackedOnce(path, async () => (await fetched(signal)).path)
    unpacking.set(path, unpacked)
    return (await unpacked) === null ? null : { path, sha256 }
  } catch (error) {
    if (error instanceof InputError) return null
    throw error
  }
}

const unpackedOnce = async (path: string, tarball: () => Promise<string>): Promise<string | null> => {
  if (await isThere(path)) return path
  const folder = join(path, '..')
  const draft = `${folder}.${process.pid}.${randomBytes(4).toString('hex')}`
  const tool = path.slice(folder.length + 1)
  await mkdir(draft, { recursive: true, mode: 0o700 })
  try {
    await extract({
      file: await tarball(),
      cwd: draft,
      strip: 1,
      filter: (name, entry) => name.split('/').slice(1).join('/') === tool && 'type' in entry && entry.type === 'File',
    })
    await chmod(join(draft, tool), 0o700)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await rename(join(draft, tool), path)
    await sweep()
    return path
  } catch {
    return null
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

const MONTH_MS = 30 * 86_400_000

/** What nobody has used for a month goes: a program is large. */
const sweep = async (): Promise<void> => {
  for (const below of ['tools', 'passed']) {
    const folder = join(cacheFolder(), below)
    for (const name of await readdir(folder).catch(() => [])) {
      const found = await stat(join(folder, name)).catch(() => null)
      if (found && found.mtimeMs < Date.now() - MONTH_MS) await rm(join(folder, name), { recursive: true, force: true })
    }
  }
}

const MOST_MS = 60_000
const MOST_SAID = 2_000

/**
 * What a program says of a file. It comes through a pipe, as it may have secrets in it, which then stand in no other file; the program gets no
 * variables of ours.
 */
const tried = async (
  program: string,
  { check, content }: Trial,
): Promise<{ readonly code: number | null; readonly said: string }> => {
  const child = spawn('sh', ['-c', `cat | ${word(program)} ${check} 2>&1`], {
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: MOST_MS,
  })
  child.stdin.on('error', () => undefined).end(bytesOf(content))
  const ended = new Promise<number | null>((resolve) => child.once('error', () => resolve(null)).once('close', resolve))
  const said = await buffer(child.stdout).catch(() => Buffer.alloc(0))
  const code = await ended
  const text = said
    .toString()
    .replace(/^amtool: error: failed to validate .*$/m, '')
    .trim()
  const words = /FAILED:?\s*([\s\S]*)$/.exec(text)?.[1]?.trim() || text
  return {
    code: code === 126 || code === 127 ? null : code,
    said: words.replaceAll(/\s*\n\s*/g, '; ').slice(0, MOST_SAID),
  }
}
