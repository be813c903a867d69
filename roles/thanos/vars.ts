import { z } from 'zod'
import { bytes, listenAddress, version } from '../../lib/inventory/schema/fields.ts'
import { extraFlags } from '../../lib/program/flags.ts'

/** What the settings of every Thanos role have at their end. */
export const thanosFields = (memory: string) => ({
  log_level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('The lowest level that is logged.'),
  memory_max: bytes
    .optional()
    .describe(`Memory limit of the service; above it the kernel ends it and systemd starts it again.${memory}`),
  extra_flags: extraFlags.describe('Further command line flags.'),
})

export const versionField = version.describe('The version that runs; the same for all Thanos roles of a host.')

export const grpcListen = (port: number, who: string) =>
  listenAddress
    .default(`0.0.0.0:${port}`)
    .describe(
      `Address and port by which ${who} it, gRPC; with TLS, and a certificate of whoever asks, where its web server has TLS by \`tls\`.`,
    )
