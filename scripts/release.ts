/**
 * Makes a release of the project in the folder where it is called: `node scripts/release.ts VERSION|major|minor|patch [--dry-run]`.
 * It writes the version and the section of the changelog, builds, packs, and puts the package, its checksum and its notes into `release/`.
 * It commits, tags, pushes and publishes nothing; it says what is left to do. Exit codes: 0 done, 1 a step failed, 2 it must not start.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createTwoFilesPatch } from 'diff'
import { InputError } from '../lib/errors.ts'
import { nextVersion, notesOf, type Release, releasedFiles } from './release-files.ts'

const FOLDER = 'release'

const git = (...words: readonly string[]): string => execFileSync('git', words, { encoding: 'utf8' }).trim()

const refuse = (where: string, what: string, fix: string): never => {
  throw new InputError([{ where, what, fix }])
}

/** Nothing but what was committed goes into a release, and no version is made twice. */
const requireClean = (version: string): void => {
  const changed = git('status', '--porcelain')
  if (changed !== '')
    refuse('the clone', `has changes that are not committed:\n${changed}`, 'Commit them, or put them aside.')
  if (git('tag', '--list', `v${version}`) !== '')
    refuse(`v${version}`, 'is a tag already', 'Choose another version, or look at what was released as this one.')
}

/** The changes of a release, as one file each. Throws InputError where it must not be made. */
const planned = (wanted: string): Release => {
  const read = (path: string): string => readFileSync(path, 'utf8')
  const { version: current } = JSON.parse(read('package.json')) as { version: string }
  const version = nextVersion(current, wanted)
  requireClean(version)
  return releasedFiles({
    current,
    version,
    date: new Date().toISOString().slice(0, 10),
    files: Object.fromEntries(['package.json', 'package-lock.json', 'CHANGELOG.md'].map((path) => [path, read(path)])),
  })
}

/** Packs into the release's folder; npm builds first, as the package asks for. Returns the names of what is there now. */
const pack = (version: string): readonly string[] => {
  rmSync(FOLDER, { recursive: true, force: true })
  mkdirSync(FOLDER)
  execFileSync('npm', ['pack', '--silent', '--pack-destination', FOLDER], { stdio: ['ignore', 'ignore', 'inherit'] })
  const [file = ''] = readdirSync(FOLDER)
  if (!file.endsWith(`-${version}.tgz`)) throw new Error(`npm pack made ${file || 'nothing'}`)
  const sum = createHash('sha256')
    .update(readFileSync(join(FOLDER, file)))
    .digest('hex')
  writeFileSync(join(FOLDER, 'SHA256SUMS'), `${sum}  ${file}\n`)
  return [file, 'SHA256SUMS', 'NOTES.md']
}

const left = (version: string): string => `Nothing was committed, tagged, pushed or published. What is left:
  npm test && npm run test:install
  git commit -am 'Release ${version}' && git tag -a v${version} --cleanup=verbatim -F ${FOLDER}/NOTES.md`

const release = ({ version, changes }: Release): void => {
  const before = changes.map(({ path }) => [path, readFileSync(path, 'utf8')] as const)
  for (const { path, after } of changes) writeFileSync(path, after)
  try {
    const names = pack(version)
    writeFileSync(join(FOLDER, 'NOTES.md'), notesOf(version, readFileSync('CHANGELOG.md', 'utf8')))
    console.log(`${version} is in ${FOLDER}/: ${names.join(', ')}\n${left(version)}`)
  } catch (error) {
    for (const [path, text] of before) writeFileSync(path, text)
    rmSync(FOLDER, { recursive: true, force: true })
    throw error
  }
}

const dryRun = ({ version, changes }: Release): void => {
  for (const { path, before, after } of changes)
    console.log(createTwoFilesPatch(path, path, before, after, '', '', { context: 1 }).trimEnd())
  console.log(`${version} would be built and packed into ${FOLDER}/. Nothing was changed.`)
}

const usage = 'scripts/release VERSION|major|minor|patch [--dry-run]'

const main = (words: readonly string[]): number => {
  try {
    const { values, positionals } = given(words)
    const plan = planned(positionals[0] ?? '')
    if (values['dry-run']) dryRun(plan)
    else release(plan)
    return 0
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return error instanceof InputError ? 2 : 1
  }
}

const given = (words: readonly string[]) => {
  try {
    const parsed = parseArgs({
      args: [...words],
      options: { 'dry-run': { type: 'boolean', default: false } },
      allowPositionals: true,
    })
    if (parsed.positionals.length === 1 && existsSync('package.json')) return parsed
  } catch (error) {
    return refuse(usage, error instanceof Error ? error.message : String(error), 'It knows no other flag.')
  }
  return refuse(
    usage,
    'takes one version, in the folder of the project',
    'For example: scripts/release minor --dry-run',
  )
}

process.exitCode = main(process.argv.slice(2))
