import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Mistakes } from '../mistakes.ts'
import { parseSource, type Source } from '../yaml/source.ts'

/** What a script may print, and how long it may take. */
const MOST_BYTES = 256 * 1024 * 1024
const LONGEST_MS = 300_000

/** Whether a file is a program, as Ansible would run it: it may be executed, and begins as a script or a binary does. */
export const isProgram = (file: string): boolean => {
  const found = statSync(file, { throwIfNoEntry: false })
  if (!found?.isFile() || (found.mode & 0o111) === 0) return false
  const start = Buffer.alloc(4)
  const descriptor = openSync(file, 'r')
  try {
    readSync(descriptor, start, 0, 4, 0)
  } finally {
    closeSync(descriptor)
  }
  return start.toString('latin1', 0, 2) === '#!' || start.equals(Buffer.from([0x7f, 0x45, 0x4c, 0x46]))
}

/**
 * What an inventory script answers to `--list` or `--host NAME`: JSON, as a source whose places are those of the answer. A script that fails, or answers something
 * else, is a mistake, with the end of what it said. Source: ansible-core, plugins/inventory/script.py.
 */
export const askScript = (
  file: string,
  question: readonly string[],
  { env, mistakes }: { readonly env: NodeJS.ProcessEnv; readonly mistakes: Mistakes },
): Source | undefined => {
  const said = `${question.join(' ')}`
  const blame = (what: string): undefined => {
    mistakes.add(file, { what, fix: `run it by hand to see why: ${file} ${said}` })
    return undefined
  }
  const { status, stdout, stderr, error, signal } = spawnSync(resolve(file), question, {
    cwd: dirname(resolve(file)),
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: MOST_BYTES,
    timeout: LONGEST_MS,
  })
  if (error || status !== 0) {
    const why = error ? error.message : signal ? `ended by ${signal}` : `exit code ${status}`
    const last = (stderr ?? '').trim().split('\n').at(-1)?.slice(0, 200)
    return blame(`the inventory script failed at ${said}: ${why}${last ? ` (${last})` : ''}`)
  }
  try {
    JSON.parse(stdout)
  } catch {
    return blame(`the inventory script does not answer ${said} with JSON`)
  }
  const source = parseSource({ file: `${file} ${said}`, text: stdout }, mistakes)
  return source && { ...source, format: 'script' }
}
