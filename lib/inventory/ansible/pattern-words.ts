/**
 * The single patterns in a text: parted by commas, or, where it has none and is no address, by colons outside of brackets.
 * Source: ansible-core, inventory/manager.py (split_host_pattern).
 */
export const splitPatterns = (text: string): readonly string[] => {
  const parts = text.includes(',')
    ? text.split(',')
    : isAddress(text)
      ? [text]
      : (text.match(/(?:[^\s:[\]]|\[[^\]]*\])+/g) ?? [])
  return parts.map((part) => part.trim()).filter((part) => part !== '')
}

const NUMBERS = String.raw`\[\d+:\d+(?::\d+)?\]`
const LETTERS_OR_NUMBERS = String.raw`\[(?:[a-z]:[a-z]|\d+:\d+)(?::\d+)?\]`
const LABEL = String.raw`(?:[\p{L}\p{N}_]|${LETTERS_OR_NUMBERS})(?:[\p{L}\p{N}_-]|${LETTERS_OR_NUMBERS})*(?<![_-])`
const HOST_NAME = new RegExp(String.raw`^${LABEL}(?:\.${LABEL})*$`, 'iu')
const IPV4 = new RegExp(String.raw`^(?:(?:\d{1,3}|${NUMBERS})(?:\.|$)){4}$`)
const IPV6 = /^(?=(?:[^:]*:){2})[0-9a-f:]+(?:\d+(?:\.\d+){3})?$/i

/** True for one host name or address, with or without a port and ranges (parsing/utils/addresses.py, parse_address). */
const isAddress = (text: string): boolean => {
  const [, bracketed, plain] = /^(?:\[([^[\]]+)\]|((?:[^:[\]]|\[[^\]]*\])*)):\d+$/.exec(text) ?? []
  const host = bracketed ?? plain ?? text
  return HOST_NAME.test(host) || IPV4.test(host) || IPV6.test(host)
}
