/** Runs every check and test and ends with one line: `N passed, N failed`. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Tally {
  readonly passed: number
  readonly failed: number
}
const folder = mkdtempSync(join(tmpdir(), 'vestal-test-'))

const heading = (title: string): void => console.log(`\n==> ${title}`)

const command = (title: string, argv: readonly string[]): Tally => {
  heading(title)
  const { status } = spawnSync(argv[0] ?? '', argv.slice(1), { stdio: 'inherit' })
  return { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1 }
}

/** A runner that dies without a result counts as one failure. */
const vitest = (title: string, argv: readonly string[]): Tally => {
  heading(title)
  const output = join(folder, `${title.replaceAll(/\W/g, '-')}.json`)
  const { status } = spawnSync(
    argv[0] ?? '',
    [...argv.slice(1), '--reporter=default', '--reporter=json', `--outputFile.json=${output}`],
    { stdio: 'inherit' },
  )
  try {
    const { numPassedTests, numFailedTests, success } = JSON.parse(readFileSync(output, 'utf8'))
    const failed = numFailedTests + (numFailedTests === 0 && (!success || status !== 0) ? 1 : 0)
    return { passed: numPassedTests, failed }
  } catch {
    return { passed: 0, failed: 1 }
  }
}

const tallies = [
  command('types', ['tsc', '--noEmit']),
  command('types of the oldest Node', ['tsc', '-p', 'tsconfig.oldest.json']),
  command('style', ['biome', 'check', '.']),
  command('layout', [
    'depcruise',
    '--config',
    '.dependency-cruiser.cjs',
    ...['cli', 'fleet', 'lib', 'roles', 'playbooks', 'scripts'],
  ]),
  command('unused', ['knip']),
  vitest('unit tests', ['vitest', 'run', '--project', 'unit']),
  vitest('end-to-end tests', ['node', 'test/e2e/run.ts']),
]
rmSync(folder, { recursive: true })
const passed = tallies.reduce((sum, tally) => sum + tally.passed, 0)
const failed = tallies.reduce((sum, tally) => sum + tally.failed, 0)
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
