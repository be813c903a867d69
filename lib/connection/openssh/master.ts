import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { LinkError } from '../../errors.ts'
import { word } from '../../shell.ts'
import { late } from '../ssh/connect-errors.ts'
import { readKnownHosts } from '../ssh/known-hosts-file.ts'
import { type Life, lifeUntil } from '../ssh/liveness.ts'
import type { Target } from '../ssh/target.ts'
import { answerAskpass } from './askpass.ts'
import { hearing, type Said } from './said.ts'
import { READY, settingsFor } from './settings.ts'
import { endOf } from './words.ts'

/** A login by OpenSSH: its own process, and a socket by which others share it (ssh_config(5), ControlMaster). */
export interface Master extends Life {
  readonly target: Target
  readonly program: string
  readonly socket: string
  /** A folder of its own that goes when it ends. */
  readonly folder: string
  readonly said: Said
}
export interface MasterOptions {
  /** The ssh program. */
  readonly program: string
  /** What needs OpenSSH, in words. */
  readonly why: readonly string[]
  /** The login that leads to the target. */
  readonly through?: Master
  readonly configFile?: string
  readonly signal?: AbortSignal
  /** The error for a login that failed. */
  refusal(said: Said): Promise<LinkError>
  /** Told of a host key that was new, once the login has succeeded; undefined: none may be. */
  readonly onNewKey?: (key: Buffer) => Promise<void>
}

/**
 * ssh in a session of its own, so that Ctrl-C at the terminal is Vestal's alone; beside it a shell that ends it, and removes its folder, as soon as standard
 * input ends: a Vestal that was killed leaves no login behind.
 */
const SUPERVISE = [
  'folder=$1',
  'shift',
  'exec 3<&0 </dev/null',
  '{ read -r _ <&3; rm -rf "$folder"; kill -TERM -$$; } >/dev/null 2>&1 & exec "$@" 3<&-',
].join('; ')

/** Who is to touch a key may be in the next room. */
const touchWithinMs = 60_000
/** ssh's own limit is in whole seconds, and it says what it waited for. */
const graceMs = 1_000
const jumpMs = 500
/** `sun_path` holds 104 bytes or more, of which ssh takes 17 for a name while it makes the socket (mux.c). */
const longestFolder = 60

/** Logs in, and returns the login once others can share it. Throws LinkError, and the signal's reason. */
export const startMaster = async (target: Target, options: MasterOptions): Promise<Master> => {
  const { program, through, signal } = options
  const base = tmpdir()
  const folder = mkdtempSync(join(base.length > longestFolder ? '/tmp' : base, 'vestal-ssh-'))
  const socket = join(folder, 'm')
  let child: ChildProcess | undefined
  const asks = target.password !== undefined || target.passphrase !== undefined
  const answers = asks ? await answerAskpass(folder, target) : undefined
  try {
    const config = join(folder, 'config')
    const newKeys = options.onNewKey && join(folder, 'known')
    const way = through && `${words(muxWords(through))} -W [%h]:%p -- jump`
    writeFileSync(
      config,
      settingsFor(target, { socket, through: way, asks, newKeys, configFile: options.configFile }),
      {
        mode: 0o600,
      },
    )
    child = spawn('sh', ['-c', SUPERVISE, 'vestal', folder, program, '-F', config, '-N', '-T', '--', target.name], {
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...ableShell(), LC_ALL: 'C', SSH_ASKPASS_REQUIRE: 'never', ...answers?.env },
    })
    const master = await loggedIn(child, { ...options, target, socket, folder })
    for (const { key } of newKeys ? readKnownHosts([newKeys]) : []) await options.onNewKey?.(Buffer.from(key, 'base64'))
    return master
  } catch (error) {
    if (child) killGroup(child)
    rmSync(folder, { recursive: true, force: true })
    signal?.throwIfAborted()
    throw error
  } finally {
    answers?.stop()
  }
}

/** ssh runs commands by the operator's shell, which a service's account may not have. */
const ableShell = (): { readonly SHELL?: string } =>
  /(?:nologin|false)$/.test(process.env.SHELL ?? '') ? { SHELL: '/bin/sh' } : {}

/** The words that make ssh share a master's login, and never make one of its own. */
export const muxWords = ({ program, socket }: Pick<Master, 'program' | 'socket'>): readonly string[] => [
  ...[program, '-F', 'none', '-S', socket, '-o', 'ControlMaster=no', '-o', 'ProxyCommand=false', '-T'],
]
const words = (texts: readonly string[]): string => texts.map((text) => word(text).replaceAll('%', '%%')).join(' ')

interface Starting extends MasterOptions {
  readonly target: Target
  readonly socket: string
  readonly folder: string
}

const loggedIn = (child: ChildProcess, starting: Starting): Promise<Master> =>
  new Promise((resolve, reject) => {
    const { target, socket, folder, program, signal } = starting
    let settled = false
    const done = (): void => {
      settled = true
      clearTimeout(timer)
      clearTimeout(touch)
      signal?.removeEventListener('abort', abort)
    }
    const give = (error: unknown): void => {
      done()
      reject(error)
    }
    let stage = 'did not answer'
    const timer = setTimeout(() => give(late(target, stage)), target.timeoutMs + graceMs)
    const said = hearing((now) => {
      if (settled) return
      if (now === 'connected') stage = 'did not finish the SSH handshake'
      if (now === 'touch') {
        clearTimeout(timer)
        touch = setTimeout(
          () => give(late({ ...target, timeoutMs: touchWithinMs }, 'got no touch of the hardware key')),
          touchWithinMs,
        )
      } else timer.refresh()
    })
    let touch: NodeJS.Timeout | undefined
    const { life, ended } = lifeUntil({
      leave() {
        child.stdin?.end()
        child.unref()
        for (const stream of child.stdio) (stream as { unref?(): void } | null)?.unref?.()
      },
      cut() {
        killGroup(child)
        rmSync(folder, { recursive: true, force: true })
      },
    })
    const abort = (): void => give(signal?.reason)
    signal?.addEventListener('abort', abort)
    if (signal?.aborted) abort()
    child.stdin?.on('error', () => {})
    if (child.stderr) createInterface({ input: child.stderr }).on('line', said.hear)
    let printed = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (settled) return
      printed = (printed + text).slice(-READY.length * 2)
      if (!printed.includes(READY)) return
      done()
      rmSync(join(folder, 'config'), { force: true })
      resolve({ ...life, target, program, socket, folder, said })
    })
    child.once('error', (error) =>
      give(new LinkError(target.host, `${program} could not be started: ${error.message}`)),
    )
    child.once('exit', async (code) => {
      // What goes between may hold standard error open for longer than ssh itself.
      await Promise.race([new Promise((one) => child.once('close', one)), later(200)])
      child.stdin?.end()
      if (settled) {
        // A jump host that was lost is what there is to tell; it may be noticed a moment later.
        if (starting.through) await Promise.race([new Promise<string>(starting.through.onGone), later(jumpMs)])
        ended(endOf(said))
        return
      }
      give(code === 127 || code === 126 ? noProgram(starting) : await starting.refusal(said))
    })
  })

const noProgram = ({ target, program, why }: Starting): LinkError =>
  new LinkError(target.host, `there is no ${program} on this machine, which is needed for ${why.join(', ')}`, {
    hint: 'Install OpenSSH (openssh-client), or set `ansible_ssh_executable` to where it is.',
  })

const later = (ms: number): Promise<void> => new Promise((done) => void setTimeout(done, ms))

const killGroup = ({ pid }: ChildProcess): void => {
  try {
    if (pid) process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}
