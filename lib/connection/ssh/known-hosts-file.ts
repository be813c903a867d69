import { chmod, mkdir, open, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type HostKeyLine,
  judge,
  keyType,
  knownName,
  parseKnownHosts,
  type Shown,
  type Verdict,
} from './known-hosts.ts'
import { textOf } from './text-file.ts'

/** The lines of some known_hosts files, in order; a file that is not there has none. Throws FileError. */
export const readKnownHosts = (files: readonly string[]): readonly HostKeyLine[] =>
  files.flatMap((file) => parseKnownHosts(textOf(file), file))

/**
 * Adds a host's key to the first of `files`, made with mode 0600 if need be, unless another run has done so meanwhile.
 * Returns how the key stands now. Throws FileError, and node:fs errors when the file cannot be written.
 */
export const remember = async (files: readonly string[], shown: Shown): Promise<Verdict> => {
  const [file] = files
  if (!file) return { is: 'known' }
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  return withLock(`${file}.vestal-lock`, async () => {
    const verdict = judge(readKnownHosts(files), shown)
    if (verdict.is !== 'unknown') return verdict
    const before = textOf(file)
    const line = `${knownName(shown.name, shown.port)} ${keyType(shown.key)} ${shown.key.toString('base64')}\n`
    await writeFile(file, before === '' || before.endsWith('\n') ? line : `\n${line}`, { flag: 'a', mode: 0o600 })
    if (before === '') await chmod(file, 0o600)
    return { is: 'known' }
  })
}

/** A lock that nobody has held for so long was left behind by a process that died. */
const staleMs = 10_000

const withLock = async <T>(lock: string, work: () => Promise<T>): Promise<T> => {
  for (;;) {
    try {
      await (await open(lock, 'wx', 0o600)).close()
      break
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const since = await stat(lock).then(
        ({ mtimeMs }) => mtimeMs,
        () => Date.now(),
      )
      if (Date.now() - since > staleMs) await rm(lock, { force: true })
      else await sleep(10)
    }
  }
  try {
    return await work()
  } finally {
    await rm(lock, { force: true })
  }
}
