/** What a release changes in files, as text from text. */
import semver from 'semver'
import { InputError } from '../lib/errors.ts'

export interface FileChange {
  readonly path: string
  readonly before: string
  readonly after: string
}
export interface Release {
  readonly version: string
  readonly changes: readonly FileChange[]
}
interface Wanted {
  readonly current: string
  readonly version: string
  /** The day of the release, as YYYY-MM-DD. */
  readonly date: string
  readonly files: Readonly<Record<string, string>>
}

/** The version that is asked for: one of its own, or the next of a kind. Throws InputError unless it comes after the current one. */
export const nextVersion = (current: string, wanted: string): string => {
  const version = ['major', 'minor', 'patch'].includes(wanted)
    ? semver.inc(current, wanted as 'major' | 'minor' | 'patch')
    : semver.valid(wanted) === wanted
      ? wanted
      : null
  if (version === null)
    throw new InputError([{ where: wanted, what: 'is no version', fix: 'Say one as 1.2.3, or major, minor or patch.' }])
  if (semver.gt(version, current)) return version
  throw new InputError([
    { where: version, what: `does not come after ${current}, which package.json has`, fix: 'Choose a later one.' },
  ])
}

/** The files of a project as they are in a release. Throws InputError where the changelog has nothing to tell. */
export const releasedFiles = ({ current, version, date, files }: Wanted): Release => ({
  version,
  changes: Object.entries(files).map(([path, before]) => ({
    path,
    before,
    after:
      path === 'CHANGELOG.md' ? withSection(before, version, date) : withVersion(before, { path, current, version }),
  })),
})

const HEADING = '## [Unreleased]\n'

/** The changelog with what was unreleased under the version. Throws InputError where there is nothing. */
const withSection = (changelog: string, version: string, date: string): string => {
  const at = changelog.indexOf(HEADING)
  const said = at < 0 ? '' : changelog.slice(at + HEADING.length).split(/^## /m, 1)[0]
  if (said === undefined || !/^[-*] /m.test(said))
    throw new InputError([
      { where: 'CHANGELOG.md', what: 'has no entry under [Unreleased]', fix: 'Write what a user sees of the changes.' },
    ])
  return `${changelog.slice(0, at)}${HEADING}\n## [${version}] - ${date}\n${changelog.slice(at + HEADING.length)}`
}

/** The section of a version, without its heading. */
export const notesOf = (version: string, changelog: string): string => {
  const [, section = ''] = changelog.split(new RegExp(`^## \\[${version.replaceAll('.', '\\.')}\\].*\\n`, 'm'), 2)
  return `${section.split(/^## /m, 1)[0]?.trim()}\n`
}

/** The project's own version: at the top of either file, and in the lock file's entry of the project itself. */
const withVersion = (
  text: string,
  { path, current, version }: { readonly path: string; readonly current: string; readonly version: string },
): string => {
  const own = path === 'package-lock.json' ? 2 : 1
  let found = 0
  const after = text.replace(/^( {2}| {6})"version": "([^"]*)"/gm, (line, indent: string, one: string) =>
    one === current && ++found <= own ? `${indent}"version": "${version}"` : line,
  )
  if (found >= own) return after
  throw new InputError([{ where: path, what: `does not have ${current} as its version`, fix: 'Run npm install.' }])
}
