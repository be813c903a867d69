/**
 * A small machine for whole runs: a folder is its disk, a real sh runs what the engine sends, through the same connection as a local host
 * has. The link can be lost, cut or held up at each stage of a run. Needs no root.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { connect } from '../../../lib/connection/connect.ts'
import type { CountedConnection } from '../../../lib/connection/options.ts'
import type { Connect } from '../../../lib/engine/pool.ts'
import { LinkError } from '../../../lib/errors.ts'
import type { Exec, ExecOptions, Host } from '../../../lib/model.ts'

/** What the engine wants of a machine with one script. */
export type Stage = 'connect' | 'read' | 'diff' | 'upload' | 'hold' | 'change' | 'take back' | 'sign of life'
/** What becomes of a script: it is handed what would run it. */
export type Fate = (exec: () => Promise<Exec>, host: Host) => Promise<Exec>

/** A link to a small machine. A process stands for its session, to which locks are tied. */
export interface SmallLink extends CountedConnection {
  /** The session ends, as it does when the controller is killed. A script that runs goes on; nobody hears of it. */
  hangUp(): void
}

export interface SmallMachine extends Disposable {
  readonly host: Host
  readonly connect: (...args: Parameters<Connect>) => Promise<SmallLink>
  /** How many of its connections are open. */
  links(): number
  /** How often it was connected to. */
  logins(): number
  /** From now on, this is what becomes of every script of a stage. */
  at(stage: Stage, fate: Fate): void
  /** The link works again. */
  heal(): void
  /** From now on, a script that waits by sleeping takes its time. */
  sleeps(): void
  /** A file's text; undefined where there is none. */
  text(path: string): string | undefined
  write(path: string, text: string): void
}

/** `told` hears of each stage as it begins, `over` as it ends. */
export const smallMachine = (
  host: Host,
  { told, over }: { told(stage: Stage, host: Host): void; over(stage: Stage, host: Host): void },
): SmallMachine => {
  const root = mkdtempSync(join(tmpdir(), 'vestal-machine-'))
  for (const folder of ['bin', 'disk', 'run', 'var']) mkdirSync(join(root, folder))
  // What a script waits for by sleeping, it looks for at once.
  symlinkSync('/bin/true', join(root, 'bin', 'sleep'))
  const fates = new Map<Stage, Fate>()
  const pass = async <T>(stage: Stage, work: () => Promise<T>): Promise<T> => {
    told(stage, host)
    try {
      const fate = fates.get(stage)
      return fate ? ((await fate(work as () => Promise<never>, host)) as T) : await work()
    } finally {
      over(stage, host)
    }
  }
  const sessions = new Set<ChildProcess>()
  let links = 0
  let logins = 0
  const path = (name: string): string =>
    name.startsWith('/') ? join(root, name.replace(PATHS, onItsDisk)) : join(root, 'disk', name)
  return {
    host,
    connect: () =>
      pass('connect', async () => {
        links += 1
        logins += 1
        const session = spawn('sleep', ['600'], { stdio: 'ignore' })
        sessions.add(session)
        await once(session, 'spawn')
        return onDisk(root, await connect(host), pass, {
          session: session.pid ?? 0,
          hangUp: () => void session.kill('SIGKILL'),
          closed() {
            links -= 1
            session.kill('SIGKILL')
          },
        })
      }),
    links: () => links,
    logins: () => logins,
    at: (stage, fate) => void fates.set(stage, fate),
    heal: () => fates.clear(),
    sleeps: () => rmSync(join(root, 'bin', 'sleep'), { force: true }),
    text: (name) => (existsSync(path(name)) ? readFileSync(path(name), 'utf8') : undefined),
    write(name, text) {
      mkdirSync(dirname(path(name)), { recursive: true })
      writeFileSync(path(name), text)
      // By the clock that scripts see, also where it is set ahead for this process alone.
      utimesSync(path(name), new Date(), new Date())
    },
    [Symbol.dispose]() {
      for (const session of sessions) session.kill('SIGKILL')
      rmSync(root, { recursive: true, force: true })
    },
  }
}

const lost = (host: Host, why: string): LinkError => new LinkError(host.name, why, { hint: 'Look at the cable.' })

/** Nobody answers, or the link is lost before anything of the script has run. */
export const lostBefore: Fate = async (_, host) => {
  throw lost(host, 'the link was lost')
}
/** The script runs to its end, and the link is lost before its answer has come. */
export const lostAfter: Fate = async (exec, host) => {
  await exec()
  throw lost(host, 'the link was lost')
}
/** Half of the answer arrives. */
export const cutInHalf: Fate = async (exec) => {
  const answer = await exec()
  return { ...answer, stdout: answer.stdout.subarray(0, answer.stdout.length / 2) }
}
/** This happens when the script is about to run. */
export const asItBegins =
  (happens: () => unknown): Fate =>
  async (exec) => {
    await happens()
    return exec()
  }
/** This happens when the script has ended, before the engine hears of it. */
export const asItEnds =
  (happens: () => unknown): Fate =>
  async (exec) => {
    const answer = await exec()
    await happens()
    return answer
  }

const PATHS = /\/run\/vestal|\/var\/lib\/vestal/g
const onItsDisk = (path: string): string => (path === '/run/vestal' ? 'run' : 'var')

/** A connection to this machine whose scripts find their paths in a folder. */
const onDisk = (
  root: string,
  connection: CountedConnection,
  pass: <T>(stage: Stage, work: () => Promise<T>) => Promise<T>,
  { session, hangUp, closed }: { session: number; hangUp(): void; closed(): void },
): SmallLink => ({
  ...connection,
  hangUp,
  get cost() {
    return connection.cost
  },
  exec: (script: string, options?: ExecOptions) =>
    pass(stageOf(script), async () => {
      const moved = script
        .replaceAll(PATHS, (path) => join(root, onItsDisk(path)))
        .replace(/^vestal_session\(\) \{$/m, `$& vestal_pid=${session}; return`)
      return connection.exec(`PATH=${root}/bin:$PATH; cd ${root}/disk\n${moved}`, options)
    }),
  async [Symbol.asyncDispose]() {
    await connection[Symbol.asyncDispose]()
    closed()
  },
})

const stageOf = (script: string): Stage => {
  if (/^vestal_failed=\d+$/m.test(script)) return 'take back'
  if (/^vestal_failed=$/m.test(script)) return 'change'
  if (script.includes('.part.')) return 'upload'
  if (script.includes('vestal_my_script=')) return 'hold'
  if (/\btouch \S*\/lock\b/.test(script)) return 'sign of life'
  return script.includes(' facts ') ? 'read' : 'diff'
}
