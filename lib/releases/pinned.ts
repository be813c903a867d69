import { InputError, type Mistake } from '../errors.ts'
import type { Inventory } from '../model.ts'
import { type Cached, cached } from './cache.ts'
import { addPin, lockFile, readPins } from './lock-file.ts'
import { readSource } from './open.ts'
import { type Build, buildName, type Source, sumsSource, tarballName, tarballSource } from './source.ts'
import { onlySum, sumOf } from './sums.ts'

/** A tarball whose checksum is known; `fetched` gets it, once per run. */
export interface Pinned {
  readonly sha256: string
  /** Throws InputError when it cannot be had as it was when it was pinned, or lacks a binary. */
  fetched(signal?: AbortSignal): Promise<Cached>
}

const runs = new WeakMap<Inventory, Map<string, Promise<Pinned>>>()

/**
 * A build's checksum: from the inventory's lock file; or, the first time, from `sha256sums.txt` beside the tarball, which is then
 * fetched and looked into before it is written to the lock file. Each is asked for once per run.
 * Throws InputError when there is no such build, or not as the lock file or the list of checksums says.
 */
export const pinned = (inventory: Inventory, releases: string, build: Build, signal?: AbortSignal): Promise<Pinned> => {
  const run = runs.get(inventory) ?? new Map<string, Promise<Pinned>>()
  runs.set(inventory, run)
  const name = `${releases} ${buildName(build)} ${build.binaries.join(' ')}`
  const known = run.get(name)
  if (known) return known
  const found = pin(inventory.folder, tarballSource(releases, build, inventory.folder), build, signal)
  run.set(name, found)
  return found
}

const pin = async (folder: string, source: Source, build: Build, signal?: AbortSignal): Promise<Pinned> => {
  const name = buildName(build)
  const known = (await readPins(folder))[name]
  if (known) return pinnedAs(known.sha256, source, build, `the lock file ${lockFile(folder)}`)
  const sums = sumsSource(source, build)
  const list = await readSource(sums, `release ${name}`, signal)
  const sha256 = sumOf(list, tarballName(source)) ?? (build.file === undefined ? undefined : onlySum(list))
  if (!sha256) {
    const what = `${sums.shown} has no checksum of ${tarballName(source)}`
    throw mistaken(
      build,
      what,
      'Check the version and the architecture; a mirror of your own needs the line that sha256sum prints.',
    )
  }
  const found = pinnedAs(sha256, source, build, sums.shown)
  await found.fetched(signal)
  const kept = await addPin(folder, name, { url: source.shown, sha256 })
  if (kept.sha256 === sha256) return found
  // Hosts of one inventory may have `releases` of their own.
  throw mistaken(
    build,
    `${source.shown} has the checksum ${sha256}, but ${kept.url} has ${kept.sha256}: a build is one file, wherever a host takes it from`,
    'Let all hosts take it from the same place, or find out which of the two its project made.',
  )
}

const pinnedAs = (sha256: string, source: Source, build: Build, says: string): Pinned => {
  let fetching: Promise<Cached> | undefined
  return { sha256, fetched: (signal) => (fetching ??= fetchChecked(sha256, source, { build, says, signal })) }
}

const fetchChecked = async (
  sha256: string,
  source: Source,
  { build, says, signal }: { build: Build; says: string; signal?: AbortSignal },
): Promise<Cached> => {
  const found = await cached({
    sha256,
    source,
    what: `release ${buildName(build)}`,
    single: build.file !== undefined,
    signal,
  })
  if ('got' in found) {
    throw mistaken(
      build,
      `${source.shown} has the checksum ${found.got} (${found.bytes} bytes), but ${says} says ${sha256}`,
      'It was cut short, damaged or changed since. Find out which before you trust it.',
    )
  }
  if (build.file !== undefined) return found
  const missing = build.binaries.filter(
    (binary) => !found.names.some((path) => (build.flat ? path : /^[^/]+\/([^/]+)$/.exec(path)?.[1]) === binary),
  )
  if (missing.length > 0) {
    throw mistaken(
      build,
      `${source.shown} holds no file ${missing.map((one) => (build.flat ? one : `<folder>/${one}`)).join(', nor ')}`,
    )
  }
  return found
}

const mistaken = (build: Build, what: string, fix?: Mistake['fix']): InputError =>
  new InputError([{ where: `release ${buildName(build)}`, what, fix }])
