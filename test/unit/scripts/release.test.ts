/** A release is made in a project of its own, with the real git and npm. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const script = join(import.meta.dirname, '../../../scripts/release.ts')
const TODAY = new Date().toISOString().slice(0, 10)
let folder: string

const write = (path: string, text: string): void => writeFileSync(join(folder, path), text)
const read = (path: string): string => readFileSync(join(folder, path), 'utf8')
const git = (...words: readonly string[]): string =>
  execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.net', ...words], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
const release = (...words: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...words], { cwd: folder, encoding: 'utf8' })
  return { code: status, stdout, stderr }
}
const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vestal-release-'))
  const build = 'mkdir -p dist && test ! -e broken && cp source.txt dist/built.txt'
  write(
    'package.json',
    json({
      name: 'thing',
      version: '0.1.0',
      files: ['dist'],
      scripts: { prepack: build },
      dependencies: { other: '0.1.0' },
    }),
  )
  write(
    'package-lock.json',
    json({
      name: 'thing',
      version: '0.1.0',
      lockfileVersion: 3,
      packages: { '': { name: 'thing', version: '0.1.0' }, 'node_modules/other': { version: '0.1.0' } },
    }),
  )
  write('CHANGELOG.md', '# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [0.1.0]\n\n- The first.\n')
  write('source.txt', 'made\n')
  write('.gitignore', 'dist/\nrelease/\n')
  git('init', '--quiet')
  git('add', '.')
  git('commit', '--quiet', '-m', 'All')
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a release has its version, its section of the changelog, the built package, its checksum and its notes', () => {
  const { code, stdout, stderr } = release('minor')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(JSON.parse(read('package.json'))).toMatchObject({ version: '0.2.0', dependencies: { other: '0.1.0' } })
  expect(JSON.parse(read('package-lock.json'))).toMatchObject({
    version: '0.2.0',
    packages: { '': { version: '0.2.0' }, 'node_modules/other': { version: '0.1.0' } },
  })
  expect(read('CHANGELOG.md')).toBe(
    `# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - ${TODAY}\n\n### Added\n\n- A thing.\n\n## [0.1.0]\n\n- The first.\n`,
  )
  expect(readdirSync(join(folder, 'release')).sort()).toEqual(['NOTES.md', 'SHA256SUMS', 'thing-0.2.0.tgz'])
  expect(read('release/NOTES.md')).toBe('### Added\n\n- A thing.\n')
  const inRelease = { cwd: join(folder, 'release'), encoding: 'utf8' } as const
  expect(execFileSync('sha256sum', ['-c', 'SHA256SUMS'], inRelease)).toBe('thing-0.2.0.tgz: OK\n')
  expect(execFileSync('tar', ['-xzOf', 'thing-0.2.0.tgz', 'package/dist/built.txt'], inRelease)).toBe('made\n')
  expect(execFileSync('tar', ['-xzOf', 'thing-0.2.0.tgz', 'package/package.json'], inRelease)).toContain('"0.2.0"')
  expect(stdout).toContain('Nothing was committed, tagged, pushed or published.')
  expect(git('tag') + git('log', '--format=%s')).toBe('All\n')
})

test('a dry run shows what would change, and changes nothing', () => {
  const { code, stdout } = release('1.0.0', '--dry-run')
  expect(code).toBe(0)
  expect(stdout).toContain('+  "version": "1.0.0"')
  expect(stdout).toContain(`+## [1.0.0] - ${TODAY}`)
  expect(git('status', '--porcelain', '--ignored')).toBe('')
})

test.each([
  ['no version', ['next'], 'next: is no version'],
  ['none at all', [], 'takes one version'],
  ['one that was before', ['0.0.9'], '0.0.9: does not come after 0.1.0'],
  ['one with a v', ['v1.0.0'], 'v1.0.0: is no version'],
  ['an unknown flag', ['minor', '--push'], "Unknown option '--push'"],
])('%s is refused', (_, words, said) => {
  const { code, stderr } = release(...words)
  expect(code).toBe(2)
  expect(stderr).toContain(said)
  expect(git('status', '--porcelain', '--ignored')).toBe('')
})

test('changes that are not committed are refused, and named', () => {
  write('source.txt', 'other\n')
  expect(release('minor')).toMatchObject({ code: 2, stderr: expect.stringContaining('M source.txt') })
})

test('a version that has a tag is refused', () => {
  git('tag', 'v0.2.0')
  expect(release('minor')).toMatchObject({ code: 2, stderr: expect.stringContaining('v0.2.0: is a tag already') })
})

test('a changelog with nothing to tell is refused', () => {
  write('CHANGELOG.md', '# Changelog\n\n## [Unreleased]\n\n## [0.1.0]\n\n- The first.\n')
  git('commit', '--quiet', '-am', 'Nothing to tell')
  expect(release('minor')).toMatchObject({ code: 2, stderr: expect.stringContaining('no entry under [Unreleased]') })
})

test('where the build fails, every file is as it was and nothing is in release/', () => {
  write('broken', '')
  git('add', '.')
  git('commit', '--quiet', '-m', 'Breaks the build')
  expect(release('minor').code).toBe(1)
  expect(git('status', '--porcelain')).toBe('')
  expect(existsSync(join(folder, 'release'))).toBe(false)
})
