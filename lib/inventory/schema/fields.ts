/**
 * The building blocks of role variables. Each is a zod type with a title (its type's name in docs and editors), an example,
 * and a message that says what was expected; a message that starts with `expected` gets `, got …` when it is shown.
 * A role describes what the setting is for: `retention: duration.default('120h').describe('How long …')`.
 */
import { z } from 'zod'
import type { Duration } from '../../model.ts'
import { Secret } from '../../secret.ts'

const text = (pattern: RegExp, { title, example, error }: { title: string; example: string; error: string }) =>
  z
    .string({ error })
    .regex(pattern, { error })
    .meta({ title, examples: [example] })

/** `1y2w3d4h5m6s7ms`, or any of its parts, as prometheus/common reads a duration (`model/time.go`, ParseDuration); a year is 365 days. */
const DURATION = /^(?=\d)(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/
const DURATION_UNITS = ['d', 'h', 'm', 's', 'ms'] as const
const DURATION_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }

/** The same time span as one whole number and one unit, which every flag of the field reads alike; one that is so already stays as it is. */
const inOneUnit = (written: string): Duration => {
  if (/^\d+(ms|s|m|h|d)$/.test(written) || !DURATION.test(written)) return written as Duration
  const [y = 0, w = 0, d = 0, h = 0, m = 0, s = 0, ms = 0] = (DURATION.exec(written) ?? [])
    .slice(1)
    .map((one) => Number(one ?? 0))
  const total = ((((y * 365 + w * 7 + d) * 24 + h) * 60 + m) * 60 + s) * 1_000 + ms
  const unit = DURATION_UNITS.find((one) => total % DURATION_MS[one] === 0) ?? 'ms'
  return `${total / DURATION_MS[unit]}${unit}`
}

/** A time span: `500ms`, `15s`, `1m30s`, `2h`, `15d`, `4w`, `1y`, as Prometheus reads it. Becomes one whole number and one unit: `1m30s` is `90s`. */
export const duration = text(DURATION, {
  title: 'duration',
  example: '15s',
  error: 'expected a duration such as 500ms, 15s, 5m, 1m30s, 2h, 15d or 1y',
}).overwrite(inOneUnit) as unknown as z.ZodType<Duration>

/** A release's version: `3.5.3` or `3.6.0-rc.1`. A `v` before it, as tags have it, is taken off. */
export const version = text(/^v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/, {
  title: 'version',
  example: '3.5.3',
  error: 'expected a version such as 3.5.3',
}).overwrite((written) => written.replace(/^v/, ''))

/** The name of a job of Prometheus, which is a file's too. */
export const jobName = z.string().regex(/^[A-Za-z0-9_.-]+$/, {
  error: 'expected a job name of letters, digits, _, . and -: it is also the name of a file',
})

/** A TCP or UDP port, 1 to 65535. */
export const port = z
  .int({ error: 'expected a port from 1 to 65535' })
  .min(1, { error: 'expected a port from 1 to 65535' })
  .max(65_535, { error: 'expected a port from 1 to 65535' })
  .meta({ title: 'port', examples: [9090] })

/** A path on the host, from the root, without `.` or `..` parts, without a `/` at its end. */
export const absolutePath = text(/^(\/(?!\.{1,2}(\/|$))[^/\0]+)+$/, {
  title: 'absolute path',
  example: '/var/lib/prometheus',
  error: 'expected an absolute path such as /var/lib/prometheus, without . or .. in it and without / at its end',
})

/**
 * A size: `512MiB`, `2GiB`, and `512MB`, which Prometheus reads as the same: in its flags, units are powers of two (alecthomas/units, Base2Bytes).
 * Becomes one with an `i`; `byteCount` gives the number.
 */
export const bytes = text(/^\d+(B|[KMGT]i?B)$/, {
  title: 'size',
  example: '512MiB',
  error: 'expected a size such as 512MiB or 2GiB (B, KiB, MiB, GiB, TiB)',
}).overwrite((written) => written.replace(/([KMGT])B$/, '$1iB'))

/** The memory limit of a role's service. */
export const memoryMax = bytes
  .optional()
  .describe('Memory limit of the service; above it the kernel ends it and systemd starts it again.')

/** How many bytes a size that `bytes` accepted is. */
export const byteCount = (size: string): number => {
  const [, amount, unit] = /^(\d+)(B|KiB|MiB|GiB|TiB)$/.exec(size) ?? []
  if (!unit) throw new RangeError(`not a size: ${size}`)
  return Number(amount) * 1024 ** ['B', 'KiB', 'MiB', 'GiB', 'TiB'].indexOf(unit)
}

const URL_ERROR = 'expected a URL such as https://prometheus.example.net/path'
/** An http or https URL. */
export const url = z
  .url({ protocol: /^https?$/, error: URL_ERROR })
  .meta({ title: 'URL', examples: ['https://prometheus.example.net/'] })

/** A Prometheus label's name. Names that start with `__` belong to Prometheus. */
export const labelName = text(/^(?!__)[A-Za-z_][A-Za-z0-9_]*$/, {
  title: 'label name',
  example: 'replica',
  error: 'expected a label name: letters, digits and _, not starting with a digit or __',
})

/** Prometheus labels: names to text. */
export const labels = z
  .record(labelName, z.string({ error: 'expected text (a number or true/false needs quotes)' }), {
    error: 'expected labels, as a mapping of names to text',
  })
  .meta({ title: 'labels', examples: [{ region: 'eu' }] })

const ADDRESS_ERROR = 'expected an IP address or a host name, without a port'
const HOST_NAME = /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?$/
/** An IP address or a host name, without a port. */
export const address = z
  .union(
    [
      z.ipv4(),
      z.ipv6(),
      z
        .string()
        .regex(HOST_NAME)
        .regex(/[^\d.]/),
    ],
    { error: ADDRESS_ERROR },
  )
  .meta({ title: 'address', examples: ['10.0.0.11'] })

/** An address and port to listen on or to reach: `0.0.0.0:9090`, `[::]:9090`, `:9090`. */
export const listenAddress = text(
  /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]*):([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])$/,
  {
    title: 'address:port',
    example: '0.0.0.0:9090',
    error: 'expected an address and port such as 0.0.0.0:9090 or [::]:9090',
  },
)

/** A file mode of four digits, in quotes: `'0640'`. */
export const mode = text(/^[0-7]{4}$/, {
  title: 'file mode',
  example: '0640',
  error: "expected a file mode of four digits in quotes, such as '0640'",
})

/** What stands where `{ $env: NAME }`, `{ $file: path }` or `!vault` stood in the inventory. */
export const secretInstance = z
  .custom<Secret>((value) => value instanceof Secret)
  .meta({
    type: 'object',
    properties: { $env: { type: 'string' }, $file: { type: 'string' } },
    additionalProperties: false,
    minProperties: 1,
    maxProperties: 1,
  })

/** A secret: text, `{ $env: NAME }` or `{ $file: path }`; a Secret in any case. Its message never repeats the value. */
export const secret = z
  .union([z.string(), secretInstance], {
    error: 'must be text, { $env: NAME } or { $file: path } (a number needs quotes)',
  })
  .transform((value) => (value instanceof Secret ? value : new Secret(value)))
  .meta({ title: 'secret' })
