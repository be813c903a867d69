/** A real sshd on a free port of 127.0.0.1, with keys and files of its own, for as long as a test file needs it. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Sshd {
  readonly port: number
  /** A folder of its own, removed in the end. */
  readonly folder: string
  /** A private key that it lets in. */
  readonly key: string
  /** A known_hosts file that knows its Ed25519 key. */
  readonly knownHosts: string
  /** Its public host keys, by type: `ssh-ed25519 AAAA…`. */
  readonly hostKeys: Readonly<Record<KeyType, string>>
  /** Waits until nothing is left that a login has started. */
  quiet(): Promise<void>
  stop(): Promise<void>
}
export interface SshdOptions {
  /** More lines of sshd_config; they win over the usual ones. */
  readonly config?: readonly string[]
  readonly hostKeys?: readonly KeyType[]
  /** What `sh` is on it. */
  readonly sh?: 'dash' | 'bash'
}
export type KeyType = 'ed25519' | 'rsa' | 'ecdsa'

/** Starts it and waits until it listens. The account is the one that runs the test. */
export const startSshd = async ({ config = [], hostKeys = ['ed25519'], sh }: SshdOptions = {}): Promise<Sshd> => {
  const sshd = findSshd()
  const folder = mkdtempSync(join(tmpdir(), 'vestal-sshd-'))
  const key = makeKey(join(folder, 'id'))
  writeFileSync(join(folder, 'authorized_keys'), readFileSync(`${key}.pub`))
  for (const type of hostKeys) makeKey(join(folder, `host_${type}`), { type })
  const port = await freePort()
  const lines = [
    ...config,
    // The account's own login scripts stay out of it: they may be slow.
    `SetEnv HOME=${folder} PATH=${sh ? `${shFolder(folder, sh)}:` : ''}/usr/bin:/bin`,
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    ...hostKeys.map((type) => `HostKey ${folder}/host_${type}`),
    `AuthorizedKeysFile ${folder}/authorized_keys`,
    `PidFile ${folder}/pid`,
    'StrictModes no',
    'UsePAM no',
    'PermitRootLogin yes',
    'LogLevel VERBOSE',
  ]
  writeFileSync(join(folder, 'sshd_config'), lines.join('\n'))
  const child = spawn(sshd, ['-D', '-e', '-f', join(folder, 'sshd_config'), '-E', join(folder, 'log')], {
    stdio: 'ignore',
  })
  await listening(port, () => child.exitCode !== null && readFileSync(join(folder, 'log'), 'utf8'))
  const publicHalf = (type: KeyType): string =>
    readFileSync(join(folder, `host_${type}.pub`), 'utf8')
      .split(' ', 2)
      .join(' ')
  const keys = Object.fromEntries(hostKeys.map((type) => [type, publicHalf(type)])) as Sshd['hostKeys']
  const knownHosts = join(folder, 'known_hosts')
  writeFileSync(knownHosts, `[127.0.0.1]:${port} ${keys[hostKeys[0] ?? 'ed25519']}\n`)
  return {
    port,
    folder,
    key,
    knownHosts,
    hostKeys: keys,
    async quiet() {
      while (processesAt(folder).length > 0) await sleep(10)
    },
    async stop() {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      // A session of a moment ago may still write there.
      rmSync(folder, { recursive: true, maxRetries: 20, retryDelay: 50 })
    },
  }
}

/** Makes a key pair unless it is there. Returns the private half's path. */
export const makeKey = (
  path: string,
  { type = 'ed25519', passphrase = '' }: { type?: KeyType; passphrase?: string } = {},
): string => {
  execFileSync('ssh-keygen', [
    '-q',
    '-t',
    type,
    ...(type === 'rsa' ? ['-b', '2048'] : []),
    '-N',
    passphrase,
    '-C',
    '',
    '-f',
    path,
  ])
  chmodSync(path, 0o600)
  return path
}

/** A script that says which process is the sshd of its login. */
export const SAY_SSHD =
  "p=$PPID; until grep -q '^Name:.*sshd' /proc/$p/status; do p=$(sed -n 's/^PPid:[^0-9]*//p' /proc/$p/status); done; echo $p"

export const me = userInfo().username

const findSshd = (): string => {
  const path = '/usr/sbin/sshd'
  if (!existsSync(path)) {
    const done = spawnSync('apt-get', ['install', '-y', '--no-install-recommends', 'openssh-server'], {
      stdio: 'inherit',
    })
    if (done.status !== 0) throw new Error('these tests need sshd: apt-get install openssh-server')
  }
  // Without systemd nobody has made the folder that sshd wants for itself.
  mkdirSync('/run/sshd', { recursive: true })
  return path
}

const shFolder = (folder: string, sh: string): string => {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  symlinkSync(`/bin/${sh}`, join(bin, 'sh'))
  return bin
}

/** Processes whose home is this folder: the surroundings of a login are inherited by all that it starts. */
const processesAt = (home: string): readonly string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`HOME=${home}`)
    } catch {
      return false // It has ended meanwhile.
    }
  })

/** A port of 127.0.0.1 that nothing listens on. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return address && typeof address === 'object' ? address.port : 0
}

const listening = async (port: number, failed: () => string | false): Promise<void> => {
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const up = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (up) return
    const why = failed()
    if (why !== false) throw new Error(`sshd did not start: ${why}`)
    await sleep(20)
  }
}
