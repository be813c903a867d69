const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
const MOST = 100_000

/**
 * The host names that a key under `hosts:` stands for: `web`, `web:2222` (with a port), `node[01:20]`, `rack[a:c]-[1:9:2]`.
 * Source: ansible-core, plugins/inventory/__init__.py (expand_hostname_range) and parsing/utils/addresses.py (parse_address).
 * Throws RangeError, in words for the operator, where Ansible would refuse, or silently make no host or a nameless one.
 */
export const expandHostNames = (key: string): { readonly names: readonly string[]; readonly port?: number } => {
  const [, bracketed, plain, port] = /^(?:\[([^[\]]+)\]|((?:[^:[\]]|\[[^\]]*\])*)):([0-9]+)$/.exec(key) ?? []
  if (Number(port) > 65_535) throw new RangeError('a port is at most 65535')
  // Ranges side by side can make a name twice: `n[1:11][0:10]` has two ways to n110.
  const names = [...new Set(expand(bracketed ?? plain ?? key))]
  for (const name of names)
    if (name === '' || /[\s/[\]\p{Cc}]/u.test(name)) throw new RangeError('a host name has no spaces, `/`, `[` or `]`')
  return port === undefined ? { names } : { names, port: Number(port) }
}

const expand = (text: string): readonly string[] => {
  const [, head = '', range = '', tail = ''] = /^([^[]*)\[([^\]]*)\](.*)$/s.exec(text) ?? []
  if (range === '') {
    if (/[[\]]/.test(text)) throw new RangeError('a range has the form [1:20], [01:20], [a:f] or [1:20:2]')
    return [text]
  }
  const here = sequence(range)
  const rest = expand(tail)
  if (here.length * rest.length > MOST) throw new RangeError(`a range of more than ${MOST} hosts`)
  return here.flatMap((part) => rest.map((end) => `${head}${part}${end}`))
}

const sequence = (range: string): readonly string[] => {
  const [from = '', to = '', step = '1', ...more] = range.split(':')
  if (!range.includes(':') || more.length > 0)
    throw new RangeError('a range has the form [first:last] or [first:last:step]')
  if (to === '') throw new RangeError('a range needs its last value')
  if (!/^[1-9]\d*$/.test(step)) throw new RangeError('the step of a range is a whole number from 1 up')
  const first = from || '0'
  return /^\d+$/.test(first) && /^\d+$/.test(to)
    ? numbers({ first, last: to, step: Number(step) })
    : letters({ first, last: to, step: Number(step) })
}

interface Bounds {
  readonly first: string
  readonly last: string
  readonly step: number
}

const numbers = ({ first, last, step }: Bounds): readonly string[] => {
  const padded = first.startsWith('0') && first.length > 1
  if (padded && first.length !== last.length)
    throw new RangeError('a range with leading zeros needs ends of the same length')
  const [low, high] = [Number(first), Number(last)]
  if (low > high) throw new RangeError('a range begins with its lower end')
  if ((high - low) / step >= MOST) throw new RangeError(`a range of more than ${MOST} hosts`)
  return Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, index) =>
    String(low + index * step).padStart(padded ? first.length : 0, '0'),
  )
}

const letters = ({ first, last, step }: Bounds): readonly string[] => {
  const [low, high] = [LETTERS.indexOf(first), LETTERS.indexOf(last)]
  if (first.length !== 1 || last.length !== 1 || low < 0 || high < 0)
    throw new RangeError('the ends of a range are two numbers or two letters')
  if (low > high) throw new RangeError('a range begins with its lower end')
  return [...LETTERS.slice(low, high + 1)].filter((_, index) => index % step === 0)
}
