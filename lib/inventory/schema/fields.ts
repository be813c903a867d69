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

/** A time span: `500ms`, `15s`, `5m`, `2h`, `15d`. One whole number and one unit, which every flag of the field reads alike. */
export const duration = text(/^\d+(ms|s|m|h|d)$/, {
  title: 'duration',
  example: '15s',
  error: 'expected a duration such as 500ms, 15s, 5m, 2h or 15d',
}) as z.ZodType<Duration>

/** A release's version: `3.5.3` or `3.6.0-rc.1`, without a leading `v`. */
export const version = text(/^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/, {
  title: 'version',
  example: '3.5.3',
  error: 'expected a version such as 3.5.3, without v',
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

/** A size: `512MiB`, `2GiB`. `byteCount` gives the number. */
export const bytes = text(/^\d+(B|KiB|MiB|GiB|TiB)$/, {
  title: 'size',
  example: '512MiB',
  error: 'expected a size such as 512MiB or 2GiB (B, KiB, MiB, GiB, TiB)',
})

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
