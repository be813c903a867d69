import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import type { ChangeFault } from '../../../lib/drill/fault.ts'
import { HostError } from '../../../lib/errors.ts'

/** Makes changes as an operator would, by Vestal's own commands, on a copy of the inventory that is gone when it is disposed. */
export interface Changer extends Disposable {
  change(fault: ChangeFault, to: 'harm' | 'undo', signal: AbortSignal): Promise<void>
}

const MOST_WORDS = 500

/** A changer for the inventory at these paths, which itself is never written. */
export const changer = (paths: readonly string[]): Changer => {
  let copy: { readonly folder: string; readonly paths: readonly string[] } | undefined
  const copied = (): readonly string[] => {
    copy ??= copyOf(paths)
    return copy.paths
  }
  return {
    async change({ host, commands, undo }, to, signal) {
      const run = (words: readonly string[], of: readonly string[]): Promise<void> =>
        vestal([...words, ...onInventory(of)], host.name, signal)
      if (to === 'harm') {
        for (const words of commands) await run(words, copied())
        return
      }
      const failed: unknown[] = []
      for (const words of undo) await run(words, copied()).catch((error: unknown) => failed.push(error))
      await deployed(paths, host.name, signal)
      if (failed.length > 0) throw failed[0]
    },
    [Symbol.dispose]() {
      if (copy) rmSync(copy.folder, { recursive: true, force: true })
    },
  }
}

const onInventory = (paths: readonly string[]): readonly string[] => [
  ...paths.flatMap((path) => ['-i', path]),
  '-y',
  '--no-watch-alerts',
]

/** Makes the fleet what the inventory at these paths says. Throws HostError, about this host, where that fails. */
export const deployed = (
  paths: readonly string[],
  host: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> => vestal(['deploy', ...onInventory(paths)], host, signal)

/** What belongs to an inventory that is a file stands beside it. */
const copyOf = (paths: readonly string[]): { readonly folder: string; readonly paths: readonly string[] } => {
  const folder = mkdtempSync(join(tmpdir(), 'vestal-drill-'))
  const copies = paths.map((path, at) => {
    const isFolder = statSync(path).isDirectory()
    const from = resolve(isFolder ? path : dirname(path))
    const to = join(folder, String(at), basename(from))
    cpSync(from, to, { recursive: true })
    return isFolder ? to : join(to, basename(path))
  })
  return { folder, paths: copies }
}

/** This very program once more, in a session of its own: a Ctrl-C is for the drill, which ends it by a signal and waits. Throws HostError where it fails. */
const vestal = (words: readonly string[], host: string, signal: AbortSignal): Promise<void> =>
  new Promise((done, failed) => {
    const [, program = ''] = process.argv
    const child = spawn(process.execPath, [...process.execArgv, program, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    let said = ''
    const keep = (chunk: Buffer): void => {
      said = `${said}${chunk}`.slice(-10 * MOST_WORDS)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    const end = (): void => void child.kill('SIGINT')
    if (signal.aborted) end()
    signal.addEventListener('abort', end)
    child.once('error', failed).once('close', (code) => {
      signal.removeEventListener('abort', end)
      if (code === 0) done()
      else
        failed(
          new HostError(host, `vestal ${words.join(' ')} ended with ${code}: ${said.trim().slice(-MOST_WORDS)}`, {
            task: 'drill',
          }),
        )
    })
  })
