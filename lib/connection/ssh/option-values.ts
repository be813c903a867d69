/** Values of the options of ssh_config(5) that Vestal obeys. Pure. */
import { parseJumps } from './proxy-jump.ts'

/**
 * A time in seconds as ssh reads it: `90`, `90s`, `1m30s`, and parts of a second, which ssh does not know; null where it is none. Source: sshd_config(5), TIME FORMATS, and convtime() in
 * OpenSSH's misc.c.
 */
export const secondsOf = (text: string): number | null => {
  if (/^\d+\.\d+$/.test(text)) return Number(text)
  if (!/^(?:\d+[smhdw]?)+$/i.test(text)) return null
  const parts = [...text.matchAll(/(\d+)([smhdw]?)/gi)]
  return parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (UNITS[unit.toLowerCase()] ?? 1), 0)
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 }

/** What is wrong with the value of an option, by its name in lower case; null where it is right, or the option isn't obeyed. */
export const mistakeIn = (name: string, value: string): string | null => {
  const problem = CHECKS[name]?.(value) ?? null
  return problem && `${problem}, got \`${value}\``
}

const oneOf =
  (...allowed: readonly string[]) =>
  (value: string): string | null =>
    allowed.includes(value.toLowerCase()) ? null : `expected one of ${allowed.join(', ')}`
const time = (value: string): string | null =>
  secondsOf(value) === null ? 'expected a time in seconds, such as 30 or 1m' : null

const CHECKS: Readonly<Record<string, (value: string) => string | null>> = {
  proxyjump: (value) =>
    parseJumps(value) ? null : 'ProxyJump: expected [user@]host[:port], several with commas between',
  forkafterauthentication: (value) =>
    ['no', 'false'].includes(value.toLowerCase())
      ? null
      : 'ForkAfterAuthentication is not supported: Vestal must see when its link ends',
  port: (value) =>
    /^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535 ? null : 'Port: expected 1 to 65535',
  connecttimeout: (value) => prefixed('ConnectTimeout', time(value)),
  serveraliveinterval: (value) => prefixed('ServerAliveInterval', time(value)),
  serveralivecountmax: (value) =>
    /^[1-9]\d*$/.test(value) ? null : 'ServerAliveCountMax: expected a whole number from 1',
  stricthostkeychecking: (value) =>
    prefixed('StrictHostKeyChecking', oneOf('yes', 'no', 'ask', 'accept-new', 'off', 'true', 'false')(value)),
  addressfamily: (value) => prefixed('AddressFamily', oneOf('any', 'inet', 'inet6')(value)),
  identitiesonly: (value) => prefixed('IdentitiesOnly', oneOf('yes', 'no', 'true', 'false')(value)),
}

const prefixed = (name: string, problem: string | null): string | null => problem && `${name}: ${problem}`
