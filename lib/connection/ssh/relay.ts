import type { Duplex, Readable } from 'node:stream'
import { HostError } from '../../errors.ts'
import { words } from '../../shell.ts'
import { portFailure } from '../port-errors.ts'

/** Stands on a line of its own before the first byte of the port; what is before it is noise of login scripts. */
const READY = 'vestal-relay'
const MOST_NOISE = 64 * 1024
const MOST_WORDS = 2_000

/**
 * Leads its standard input and output to the port, by what bash calls /dev/tcp (bash(1), REDIRECTION); ends with whichever side ends first. sshd
 * gives each command a session of its own (`setsid`), whose processes `kill 0` ends. No quote stands in it, so that the login shell may be any.
 */
const RELAY = [
  'export LC_ALL=C PATH="/usr/bin:/bin:$PATH"',
  'exec 3<>"/dev/tcp/$1/$2" || exit 1',
  'exec 4<&0',
  `echo ${READY}`,
  '{ cat <&4 >&3; kill 0; } & cat <&3',
  'kill 0',
].join('; ')

/** The command of a relay, as one line for a login shell of any family. */
export const relayLine = (address: string, port: number): string =>
  `exec ${words(['bash', '-c', RELAY, 'vestal', address, port])}`

/** A command's standard input and output, and what it says beside. */
type Channel = Duplex & { readonly stderr: Readable }

interface Port {
  readonly address: string
  readonly port: number
}

/**
 * What a relay's channel is once it has reached the port: a stream to it. Throws HostError where nothing listens there, or the host has no bash.
 */
export const throughRelay = (host: string, channel: Channel, { address, port }: Port): Promise<Duplex> =>
  new Promise((resolve, reject) => {
    let said = ''
    let noise = Buffer.alloc(0)
    channel.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('latin1')).slice(-MOST_WORDS)
    })
    const fail = (error: HostError): void => {
      channel.off('readable', take)
      channel.destroy()
      reject(error)
    }
    // Not by `data`: once that is no longer heard, what comes before the next listener would be lost.
    const take = (): void => {
      noise = Buffer.concat([noise, (channel.read() as Buffer | null) ?? Buffer.alloc(0)])
      const at = `\n${noise.toString('latin1')}`.indexOf(`\n${READY}\n`)
      if (at < 0) {
        if (noise.length > MOST_NOISE)
          fail(new HostError(host, `its login scripts print more than ${MOST_NOISE / 1024} KiB`))
        return
      }
      channel.off('readable', take)
      channel.off('close', closed)
      const rest = noise.subarray(at + READY.length + 1)
      if (rest.length > 0) channel.unshift(rest)
      resolve(channel)
    }
    const closed = (): void => {
      const last = said.trim().split('\n').at(-1) ?? ''
      if (/\/dev\/tcp\/|connect:/.test(said)) {
        fail(portFailure(host, { address, port, error: last.replace(/^.*\/dev\/tcp\/[^:]*(?::\d+)?: /, '') }))
        return
      }
      fail(
        new HostError(
          host,
          `the host does not let ${address}:${port} be reached through SSH, nor by a bash of its own`,
          {
            cause: new Error(said),
            hint: 'Set `AllowTcpForwarding local` in its sshd_config for this account, or install bash.',
          },
        ),
      )
    }
    channel.on('readable', take)
    channel.on('close', closed)
    channel.on('error', () => channel.destroy())
  })
