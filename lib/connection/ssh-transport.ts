import { constants } from 'node:os'
import type { ClientCallback, ClientChannel } from 'ssh2'
import { HostError, LinkError } from '../errors.ts'
import { bootstrapLine } from './bootstrap.ts'
import { portFailure } from './port-failure.ts'
import type { Session } from './session.ts'
import type { Ended, Program, Transport } from './transport.ts'

/** Programs and ports by way of a session. */
export const sshTransport = (host: string, session: Session): Transport => ({
  drop: session.drop,
  close: async () => session.close(),
  start: async (become) => {
    const channel = await open(host, session, (done) => session.client.exec(bootstrapLine(become), done))
    if (channel instanceof Error) {
      throw new HostError(host, `the host does not open another session: ${channel.message}`, {
        cause: channel,
        hint: 'Compare `MaxSessions` and `ForceCommand` in its sshd_config.',
      })
    }
    return programOn(channel, session)
  },
  dial: async (address, port) => {
    const channel = await open(host, session, (done) => session.client.forwardOut('127.0.0.1', 0, address, port, done))
    if (!(channel instanceof Error)) return channel
    if ((channel as { reason?: unknown }).reason !== 1) throw portFailure(host, { address, port, error: channel })
    throw new HostError(host, `the host does not let ${address}:${port} be reached through SSH`, {
      cause: channel,
      hint: 'Set `AllowTcpForwarding local` in its sshd_config for this account.',
    })
  },
})

/** Asks for a channel. Returns the host's refusal as an error; throws LinkError when the link is gone. */
const open = async (
  host: string,
  session: Session,
  ask: (done: ClientCallback) => unknown,
): Promise<ClientChannel | Error> => {
  const answer = await new Promise<ClientChannel | Error>((resolve) => {
    try {
      ask((error, channel) => resolve(error ?? channel))
    } catch (error) {
      resolve(error as Error)
    }
  })
  const why = session.gone()
  if (why !== null) throw new LinkError(host, `the link is gone: ${why}`)
  return answer
}

const programOn = (channel: ClientChannel, session: Session): Program => {
  const { promise: ended, resolve } = Promise.withResolvers<Ended>()
  const ignore = session.onGone((why) => resolve({ lost: why }))
  let code: number | undefined
  let open = 2
  const close = (): void => {
    open -= 1
    if (open > 0) return
    ignore()
    resolve(code === undefined ? { lost: 'the host ended the session without an exit code' } : { code })
  }
  channel.on('exit', (status: number | null, signal?: string) => {
    code = status ?? 128 + (constants.signals[signal as NodeJS.Signals] ?? 0)
  })
  channel.on('close', close)
  channel.stderr.on('close', close)
  return {
    stdin: channel,
    stdout: channel,
    stderr: channel.stderr,
    ended,
    kill: () => channel.close(),
  }
}
