/**
 * Plants bugs in the engine, one at a time, and says whether the unit tests of the engine find them: `npm run test:mutation [WORDS]`, where WORDS
 * choose bugs by their file or by what they break. Exits 1 where fewer than 85 of 100 are found.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Bug, bugs } from './bugs.ts'

const WANTED = 0.85
const project = join(import.meta.dirname, '../..')
const copy = mkdtempSync(join(tmpdir(), 'vestal-mutation-'))
/** The tests of scripts alone wait for locks by the clock; those of whole runs say the same sooner. */
const SLOW = ['script', 'settled', 'two-controllers']

const prepare = (): void => {
  for (const name of ['lib', 'test/unit', 'package.json', 'tsconfig.json', 'vitest.config.ts'])
    cpSync(join(project, name), join(copy, name), { recursive: true })
  symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'))
}

interface Results {
  readonly testResults: readonly {
    readonly message: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
  }[]
}

/** The first test of these files that fails, in words; undefined where all pass. */
const failing = (tests: readonly string[]): string | undefined => {
  const output = join(copy, 'results.json')
  rmSync(output, { force: true })
  const argv = ['run', '--project', 'unit', '--bail', '1', '--reporter=json', `--outputFile.json=${output}`]
  const ran = spawnSync('vitest', [...argv, ...tests.map((name) => `test/unit/engine/${name}.test.ts`)], {
    cwd: copy,
    encoding: 'utf8',
  })
  if (ran.status === 0) return undefined
  try {
    const { testResults } = JSON.parse(readFileSync(output, 'utf8')) as Results
    const failed = testResults
      .flatMap(({ assertionResults }) => assertionResults)
      .find(({ status }) => status === 'failed')
    if (failed) return failed.fullName
    const broken = testResults.find(({ message }) => message)?.message
    // A bug that is no program at all finds itself.
    if (broken && /SyntaxError|Transform failed|PARSE_ERROR/.test(broken)) throw new Error(broken)
    return broken?.split('\n')[0] ?? 'an error that no test has caught'
  } catch (error) {
    throw new Error(`the tests do not run: ${ran.stderr.trim()}`, { cause: error })
  }
}

const pathOf = ({ file }: Bug): string => join(copy, 'lib/engine', `${file}.ts`)

/** Whether the code with a bug is a program at all: one that isn't finds itself. */
const parses = (bug: Bug): boolean => {
  try {
    stripTypeScriptTypes(readFileSync(pathOf(bug), 'utf8').replace(bug.from, () => bug.to))
    return true
  } catch {
    return false
  }
}

/** Throws where the code is no longer as some bugs expect it, or would be no program with them: they are to be planted anew. */
const requirePlaces = (chosen: readonly Bug[]): void => {
  const lost = chosen.filter((bug) => readFileSync(pathOf(bug), 'utf8').split(bug.from).length !== 2 || !parses(bug))
  if (lost.length === 0) return
  const lines = lost.map(({ file, breaks, from }) => `  lib/engine/${file}.ts: ${breaks}: ${JSON.stringify(from)}`)
  throw new Error(`not exactly once in the code as it is now, or no program afterwards:\n${lines.join('\n')}`)
}

/** Plants one bug, asks, and takes it out again. Returns the test that finds it. */
const finder = (bug: Bug, all: readonly string[]): string | undefined => {
  const path = pathOf(bug)
  const sound = readFileSync(path, 'utf8')
  writeFileSync(
    path,
    sound.replace(bug.from, () => bug.to),
  )
  try {
    return failing(bug.near) ?? failing(all.filter((name) => !bug.near.includes(name)))
  } finally {
    writeFileSync(path, sound)
  }
}

try {
  prepare()
  const all = readdirSync(join(copy, 'test/unit/engine'))
    .flatMap((name) => /^(.*)\.test\.ts$/.exec(name)?.[1] ?? [])
    .filter((name) => !SLOW.includes(name))
  const words = process.argv.slice(2)
  const chosen = bugs.filter(
    ({ file, breaks }) => words.length === 0 || words.some((word) => file === word || breaks.includes(word)),
  )
  requirePlaces(chosen)
  const already = failing(all)
  if (already) throw new Error(`without any bug, a test fails: ${already}`)
  const missed = chosen.filter((bug, index) => {
    const by = finder(bug, all)
    console.log(
      `${index + 1}/${chosen.length} ${by ? 'found ' : 'MISSED'} ${bug.file}: ${bug.breaks}${by ? `\n        by: ${by}` : ''}`,
    )
    return !by
  })
  const found = chosen.length - missed.length
  console.log(`\n${found} of ${chosen.length} planted bugs were found (${Math.floor((100 * found) / chosen.length)} %)`)
  for (const { file, breaks } of missed) console.log(`missed ${file}: ${breaks}`)
  process.exitCode = found < WANTED * chosen.length ? 1 : 0
} finally {
  rmSync(copy, { recursive: true })
}
