import { z } from 'zod'

/** Command line flags by name: text or a number is the value, a list repeats the flag, true gives `--name`, false `--no-name`. */
export type Flags = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

const FLAG_ERROR = 'expected a flag name without dashes in front, such as web.enable-admin-api'

/** The setting by which an operator adds flags that a role has no setting for. */
export const extraFlags = z
  .record(
    z.string().regex(/^[A-Za-z][A-Za-z0-9._-]*$/, { error: FLAG_ERROR }),
    z.union([z.string(), z.number(), z.boolean(), z.array(z.string())], {
      error: 'expected text, a number, true (--name), false (--no-name) or a list (repeats the flag)',
    }),
    { error: 'expected flags, as a mapping of names to values' },
  )
  .default({})
  .meta({ title: 'flags', examples: [{ 'query.max-samples': 50_000_000 }] })

/**
 * The same where some flags stand for settings of the role: those are refused, as the rest of the role would go on with the setting. By flag, what to
 * do instead.
 */
export const extraFlagsBeside = (instead: Readonly<Record<string, string>>) =>
  extraFlags.superRefine((flags, context) => {
    for (const name of Object.keys(flags))
      if (Object.hasOwn(instead, name))
        context.addIssue({
          code: 'custom',
          path: [name],
          message: `--${name} is not for extra_flags: ${instead[name]}`,
        })
  })

/** What to do instead of a flag that a setting stands for. */
export const setting = (name: string): string => `write the setting \`${name}\``

/** The flags of a web server whose settings `webFields` are. */
export const WEB_FLAGS = {
  'web.listen-address': setting('listen'),
  'web.external-url': setting('external_url'),
  'web.config.file': setting('web_config'),
  'log.level': setting('log_level'),
}

/** The words of a command line. Flags that are undefined are left out. */
export const flagWords = (flags: Flags): readonly string[] =>
  Object.entries(flags).flatMap(([name, value]) => {
    if (value === undefined) return []
    if (value === true) return [`--${name}`]
    if (value === false) return [`--no-${name}`]
    return [value].flat().map((one) => `--${name}=${one}`)
  })

/** The names of the flags that are given, as a program's `--help` shows them. */
export const flagNames = (flags: Flags): readonly string[] =>
  Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`]))

/** The value of a flag of a command line, written `--name=value`; undefined without it. */
export const flagIn = (command: readonly string[], name: string): string | undefined =>
  command.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3)
