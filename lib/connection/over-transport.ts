import { Readable } from 'node:stream'
import { milliseconds } from '../duration.ts'
import type { Duration, Exec, ExecOptions, Host, HttpRequest } from '../model.ts'
import { type HttpClient, httpClient } from './http.ts'
import type { CountedConnection, Login } from './options.ts'
import { endScript, frame } from './script/bootstrap.ts'
import { runScript } from './script/run-script.ts'
import type { Sudo } from './script/sudo.ts'
import type { Transport } from './transport.ts'

interface TransportOptions {
  readonly sudo?: Sudo
  /** The limit for scripts that ask for none of their own. */
  readonly idle?: Duration
}

/** For a script that is not fed by a stream or read as one. The longest installs packages. */
const usualLimit: Duration = '1h'
/** For one that is, whose time depends on its size: how long nothing at all may move. */
const usualPause: Duration = '30m'

/** Makes a login of a transport: scripts, HTTP requests, and a count of them. */
export const overTransport = (host: Host, transport: Transport, manner: TransportOptions): Login => {
  const http = httpClient(host.name, transport.dial)
  const own = over(host, { transport, http }, manner)
  return {
    ...own,
    share: (other) => over(other, { transport, http }, manner),
    [Symbol.asyncDispose]: () => transport.close(),
  }
}

interface Link {
  readonly transport: Transport
  readonly http: HttpClient
}

const over = (host: Host, { transport, http }: Link, { sudo, idle }: TransportOptions): CountedConnection => {
  const cost = { execs: 0, pushedBytes: 0, requests: 0 }
  const push = (bytes: number): void => {
    cost.pushedBytes += bytes
  }
  const run = async (
    script: Buffer,
    how: Omit<ExecOptions, 'idle' | 'within'> & {
      readonly idleMs?: number
      readonly withinMs?: number
      readonly atOnce?: boolean
    },
  ): Promise<Exec> => {
    const program = await transport.start(sudo && { user: sudo.user, password: sudo.password !== undefined }, how)
    // Later, the process with this id may be another.
    const end = (pid: number): Promise<Exec> => run(frame(endScript(pid)), { atOnce: true })
    return runScript(program, { ...how, ...sudo, host: host.name, script, push, drop: transport.drop, end })
  }
  return {
    host,
    cost,
    async exec(script: string, options: ExecOptions = {}) {
      const { stdin, signal } = options
      const stream = stdin instanceof Readable ? stdin : undefined
      const streams = stream !== undefined || options.keepStdout === false
      const limit = options.idle ?? idle ?? (streams ? usualPause : undefined)
      const within = options.within ?? (streams ? undefined : usualLimit)
      // One that somebody watches, for progress, would flow before the program that reads it has started.
      stream?.pause()
      try {
        signal?.throwIfAborted()
        const framed = frame(script)
        cost.execs += 1
        return await run(framed, {
          ...options,
          idleMs: limit && milliseconds(limit),
          withinMs: within && milliseconds(within),
        })
      } finally {
        stream?.destroy()
      }
    },
    async request(request: HttpRequest) {
      cost.requests += 1
      return http.ask(request)
    },
    listen: transport.listen,
    forwards: transport.forwards,
    gone: transport.gone,
    [Symbol.asyncDispose]: async () => undefined,
  }
}
