/** The lab's own SSH keys: one to log in with, and a lasting host key for each machine name, so that known_hosts never changes. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { run } from './command.ts'
import { withLock } from './lock.ts'
import { hostAddress, hostIndex, hostName, labKey, labKnownHosts, labRoot, mostHosts } from './places.ts'

/** Makes the lab's login key unless there is one. Returns its public half. */
export const ensureLabKey = async (): Promise<string> => {
  await alone(() => ensureKey(labKey(), 'vestal-lab'))
  return readFileSync(`${labKey()}.pub`, 'utf8')
}

/** Makes each host's key unless there is one, and rewrites known_hosts to hold all that exist. */
export const ensureHostKeys = (hosts: readonly string[]): Promise<void> => alone(() => writeHostKeys(hosts))

const writeHostKeys = async (hosts: readonly string[]): Promise<void> => {
  for (const host of hosts) await ensureKey(hostKey(host), host)
  const lines = Array.from({ length: mostHosts }, (_, i) => hostName(i + 1))
    .filter((host) => existsSync(`${hostKey(host)}.pub`))
    .map((host) => {
      const [type, key] = readFileSync(`${hostKey(host)}.pub`, 'utf8').split(' ')
      return `${hostAddress(hostIndex(host))},${host} ${type} ${key}\n`
    })
  writeFileSync(`${labKnownHosts()}.new`, lines.join(''))
  renameSync(`${labKnownHosts()}.new`, labKnownHosts())
}

/** The private key file of a host; its public half is beside it, with `.pub`. */
export const hostKey = (host: string): string => `${labRoot()}/hostkeys/${host}`

/** Labs that come up at the same time share these files. */
const alone = <T>(work: () => Promise<T>): Promise<T> => withLock(join(labRoot(), 'locks', 'keys'), work)

/** Makes an Ed25519 key without a passphrase. The private half gets its name last, so that half a pair is never taken for one. */
const ensureKey = async (path: string, comment: string): Promise<void> => {
  if (existsSync(path)) return
  mkdirSync(dirname(path), { recursive: true })
  const draft = `${path}.draft`
  for (const half of [draft, `${draft}.pub`]) rmSync(half, { force: true })
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', draft])
  renameSync(`${draft}.pub`, `${path}.pub`)
  renameSync(draft, path)
}
