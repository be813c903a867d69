import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect as connectTcp, createServer, type Socket } from 'node:net'
import { constants, userInfo } from 'node:os'
import { HostError } from '../errors.ts'
import type { Host } from '../model.ts'
import type { ConnectOptions, Login } from './options.ts'
import { overTransport } from './over-transport.ts'
import { portFailure, portTaken } from './port-errors.ts'
import { bootstrapCommand } from './script/bootstrap.ts'
import { sudoFor } from './script/sudo.ts'
import type { Ended, Transport } from './transport.ts'

/** A connection to this machine itself: scripts and requests as over SSH, without it. */
export const openLocal = (host: Host, options: ConnectOptions): Login =>
  overTransport(host, localTransport(host.name), { sudo: sudoFor(host.link, userInfo().username), idle: options.idle })

const localTransport = (host: string): Transport => {
  /** For each running program and open port, what ends it. */
  const running = new Set<(why: string) => void>()
  const drop = (why: string): void => {
    for (const end of running) end(why)
  }
  return {
    gone: () => null,
    drop,
    close: async () => drop('the connection was closed'),
    async start(become) {
      const [program = 'sh', ...args] = bootstrapCommand(become)
      // A session of its own: Ctrl-C at the terminal ends the script only if Vestal decides so.
      const child = spawn(program, args, { cwd: '/', detached: true, stdio: 'pipe' })
      await once(child, 'spawn').catch((error: Error) => {
        throw new HostError(host, `${program} could not be started: ${error.message}`)
      })
      const { promise: ended, resolve } = Promise.withResolvers<Ended>()
      const kill = (): void => {
        for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy()
      }
      const lose = (why: string): void => {
        resolve({ lost: why })
        endGroup(child.pid)
        kill()
      }
      running.add(lose)
      child.on('close', (code, signal) => {
        running.delete(lose)
        resolve({ code: code ?? 128 + constants.signals[signal ?? 'SIGKILL'] })
      })
      return { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, ended, kill }
    },
    async dial(address, port) {
      const socket = connectTcp({ host: address, port })
      await once(socket, 'connect').catch((error: unknown) => {
        throw portFailure(host, { address, port, error })
      })
      return socket
    },
    forwards: async () => true,
    async listen(port, take) {
      const open = new Set<Socket>()
      const server = createServer((socket) => {
        open.add(socket.once('close', () => open.delete(socket)))
        take(socket)
      }).listen(port, '127.0.0.1')
      await once(server, 'listening').catch((error: unknown) => {
        throw portTaken(host, port, error)
      })
      const { promise: ended, resolve } = Promise.withResolvers<string>()
      const end = (why: string): void => {
        running.delete(end)
        for (const socket of open) socket.destroy()
        server.close()
        resolve(why)
      }
      running.add(end)
      return { ended, [Symbol.asyncDispose]: async () => end('the port was given back') }
    },
  }
}

const endGroup = (pid: number | undefined): void => {
  try {
    if (pid) process.kill(-pid, 'SIGTERM')
  } catch {
    // It has ended, or it belongs to another user; then the end of its input and output must do.
  }
}
