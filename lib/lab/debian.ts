/** Debian's archive as this box knows it: the address, the keys and the way there are apt's own, and none is written here. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../errors.ts'
import { attempt, run } from './command.ts'
import { labRoot } from './places.ts'

/** An entry of `apt-cache madison`: one version of a package in one suite. */
export interface ArchiveVersion {
  readonly package: string
  /** Debian's version, such as `2.53.3+ds1-2`. */
  readonly debian: string
  /** The upstream part of it, such as `2.53.3`. */
  readonly upstream: string
}

/** The suites that the lab takes releases from, oldest first. */
export const suites = ['bookworm', 'trixie', 'forky', 'sid'] as const

/** Writes a sources file for these suites of the archive that the box uses. Throws InputError if apt knows no Debian archive. */
export const writeSources = async (path: string, of: readonly string[]): Promise<void> => {
  const { uri, entry } = await ownArchive()
  const trust = trustOf(readFileSync(entry, 'utf8'), uri)
  writeFileSync(path, `Types: deb\nURIs: ${uri}\nSuites: ${of.join(' ')}\nComponents: main\n${trust}`)
}

/**
 * Returns the lines of a deb822 stanza that say which keys to trust, as the sources file that apt reads has them for this address:
 * from the same stanza of a .sources file, or the options of the same line of a .list. None means apt's default keys (sources.list(5)).
 */
export const trustOf = (sources: string, uri: string): string => {
  const bare = uri.replace(/\/+$/, '')
  const names = (text: string): boolean => text.split(/\s+/).some((word) => word.replace(/\/+$/, '') === bare)
  const line = sources.split('\n').find((text) => /^\s*deb\s/.test(text) && names(text))
  if (line !== undefined) {
    const options = /\[(.*?)\]/.exec(line)?.[1]?.split(/\s+/) ?? []
    const value = (name: string) => options.find((option) => option.startsWith(`${name}=`))?.slice(name.length + 1)
    return fieldLine('Signed-By', value('signed-by')) + fieldLine('Trusted', value('trusted'))
  }
  const stanza = sources.split(/\n\s*\n/).find((text) => names(text)) ?? ''
  return fieldLine('Signed-By', fieldOf(stanza, 'Signed-By')) + fieldLine('Trusted', fieldOf(stanza, 'Trusted'))
}

/**
 * Reads the lists of all suites into a cache of the lab's own, at most once an hour. Returns the options that make apt use them. `arch` is
 * another architecture than the box's, as Debian names it.
 */
export const readArchive = async (arch?: string): Promise<readonly string[]> => {
  const folder = join(labRoot(), arch === undefined ? 'apt' : `apt-${arch}`)
  for (const sub of ['lists/partial', 'cache/archives/partial', 'parts'])
    mkdirSync(join(folder, sub), { recursive: true })
  await writeSources(join(folder, 'parts', 'archive.sources'), suites)
  const other = arch === undefined ? [] : [`-oAPT::Architecture=${arch}`, `-oAPT::Architectures=${arch}`]
  const options = [...aptOptions(folder), ...other]
  const read = join(folder, 'read')
  if (!existsSync(read) || Date.now() - statSync(read).mtimeMs > 3_600_000) {
    await run(['apt-get', ...options, 'update'])
    writeFileSync(read, '')
  }
  return options
}

/** Returns the versions of a package in the archive, newest first. */
export const versionsOf = async (name: string, options: readonly string[]): Promise<ArchiveVersion[]> =>
  parseMadison(await run(['apt-cache', ...options, 'madison', name]))

/** What `apt-cache madison` printed, without what several suites share. */
export const parseMadison = (text: string): ArchiveVersion[] => {
  const rows = text.split('\n').map((line) => line.split('|').map((cell) => cell.trim()))
  const versions = rows.flatMap(([name, debian]) =>
    name && debian ? [{ package: name, debian, upstream: upstreamOf(debian) }] : [],
  )
  return versions.filter(({ upstream }, i) => versions.findIndex((other) => other.upstream === upstream) === i)
}

/** Debian's version without epoch, repacking suffix and revision (deb-version(7)): `1:2.53.3+ds1-2+b1` is `2.53.3`. */
export const upstreamOf = (debian: string): string =>
  debian
    .replace(/^\d+:/, '')
    .replace(/-[^-]*$/, '')
    .replace(/[+~](ds|dfsg).*$/, '')

/** Fetches one version of a package and unpacks it into the folder. */
export const unpackPackage = async (
  wanted: ArchiveVersion,
  into: string,
  options: readonly string[],
): Promise<void> => {
  const debs = mkdtempSync(join(labRoot(), 'apt', 'deb-'))
  try {
    await run(['apt-get', ...options, 'download', `${wanted.package}=${wanted.debian}`], { cwd: debs })
    for (const deb of readdirSync(debs)) await run(['dpkg-deb', '-x', join(debs, deb), into])
  } finally {
    rmSync(debs, { recursive: true })
  }
}

/** What the box's apt is told about getting there (proxies, certificates, time checks), for an apt that does not read its configuration. */
export const transportOptions = async (): Promise<string> =>
  (await run(['apt-config', 'dump']))
    .split('\n')
    .filter((line) => /^Acquire::(http|https|ftp|tor|Check-|Retries|Proxy)/i.test(line) && !line.endsWith(' "";'))
    .join('\n')

/** The box's own architecture, as Debian and as Go's releases name it. */
export const architecture = async (): Promise<{ readonly debian: string; readonly go: string }> => {
  const debian = (await run(['dpkg', '--print-architecture'])).trim()
  return { debian, go: goName(debian) }
}

/** How Go's releases name an architecture of Debian's. */
export const goName = (debian: string): string =>
  ({ armhf: 'armv7', armel: 'armv6', i386: '386', ppc64el: 'ppc64le' })[debian] ?? debian

const ownArchive = async (): Promise<{ uri: string; entry: string }> => {
  const format = '$(REPO_URI)|$(COMPONENT)|$(ORIGIN)|$(LABEL)|$(SOURCESENTRY)'
  const ask = ['apt-get', 'indextargets', '--format', format, 'Created-By: Packages']
  const find = (listing: string) =>
    listing
      .split('\n')
      .map((line) => line.split('|'))
      .find(([, component, origin, label]) => component === 'main' && origin === 'Debian' && label === 'Debian')
  let found = find(await run(ask))
  if (!found) {
    // Who signs a repository is only known once its Release file has been read.
    await attempt(['apt-get', 'update'])
    found = find(await run(ask))
  }
  const [uri, , , , source] = found ?? []
  const entry = source?.replace(/:\d+$/, '')
  if (uri && entry && existsSync(entry)) return { uri, entry }
  throw new InputError([
    {
      where: '/etc/apt/sources.list',
      what: "names no archive of Debian's, which the lab's hosts and releases are made from",
      fix: 'Use a Debian box, or any machines that you can reach over SSH.',
    },
  ])
}

const aptOptions = (folder: string): string[] => [
  `-oDir::Etc::SourceList=/dev/null`,
  `-oDir::Etc::SourceParts=${folder}/parts`,
  `-oDir::Etc::Preferences=/dev/null`,
  `-oDir::Etc::PreferencesParts=/dev/null`,
  `-oDir::State::Lists=${folder}/lists`,
  `-oDir::Cache=${folder}/cache`,
  '-oAPT::Sandbox::User=root',
  '-oAcquire::IndexTargets::deb::DEP-11::DefaultEnabled=false',
  '-oAcquire::Languages=none',
  '-qq',
]

/** A field with its continuation lines, as a key may stand in the file itself. */
const fieldOf = (stanza: string, name: string): string | undefined =>
  new RegExp(`^${name}:[ \\t]*(.*(?:\\n[ \\t].*)*)`, 'im').exec(stanza)?.[1]

const fieldLine = (name: string, value: string | undefined): string => (value ? `${name}: ${value}\n` : '')
