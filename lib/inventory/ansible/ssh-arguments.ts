import { mistakeIn } from '../../connection/ssh/option-values.ts'
import { jumpOf } from '../../connection/ssh/proxy-command.ts'
import { splitWords } from '../../connection/ssh/words.ts'

/** Flags of ssh(1) that take a value, by the ssh_config(5) option they stand for. */
const VALUED: Readonly<Record<string, string>> = {
  b: 'bindaddress',
  c: 'ciphers',
  F: 'configfile',
  i: 'identityfile',
  J: 'proxyjump',
  l: 'user',
  m: 'macs',
  p: 'port',
}
/** Flags without a value. They change nothing of how Vestal reaches a host, which has no terminal and forwards nothing. */
const PLAIN = 'AaCfGgKkNnqsTtVvXxYy'
/** Flags that stand for a value of an option. */
const SETTING: Readonly<Record<string, readonly [string, string]>> = {
  4: ['addressfamily', 'inet'],
  6: ['addressfamily', 'inet6'],
}

/**
 * Options in `ansible_ssh_common_args` and its like, named as in ssh_config(5) and lower-cased; `-F FILE` is `configfile`. Of an option
 * given twice the first counts, as ssh has it. Throws RangeError, in words for the operator, for a flag that Vestal has no way to obey, and
 * for a value that makes no sense.
 */
export const parseSshArguments = (text: string): Readonly<Record<string, string>> => {
  const options = new Map<string, string>()
  const rest = splitWords(text)
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const flags = word.startsWith('-') ? word.slice(1) : ''
    const at = [...flags].findIndex((flag) => !PLAIN.includes(flag) && !SETTING[flag])
    if (!flags) throw new RangeError(`\`${word}\` is no option of ssh`)
    for (const flag of at < 0 ? flags : flags.slice(0, at)) {
      const [name, setting] = SETTING[flag] ?? []
      if (name && setting && !options.has(name)) options.set(name, setting)
    }
    if (at < 0) continue
    const flag = flags.charAt(at)
    if (flag !== 'o' && !VALUED[flag]) throw new RangeError(`the option -${flag} of ssh is not supported`)
    const value = flags.slice(at + 1) || rest.shift()
    if (value === undefined) throw new RangeError(`the option -${flag} needs a value`)
    const [name, setting] = asJump(flag === 'o' ? splitOption(value) : [VALUED[flag] ?? flag, value])
    const mistake = mistakeIn(name, setting)
    if (mistake) throw new RangeError(mistake)
    if (!options.has(name)) options.set(name, setting)
  }
  return Object.fromEntries(options)
}

/** `ssh -W %h:%p BASTION`, the one ProxyCommand that inventories have as a rule, is what ProxyJump does. Any other is left as it is. */
const asJump = ([name, setting]: readonly [string, string]): readonly [string, string] => {
  const jump = name === 'proxycommand' ? jumpOf(setting) : null
  return jump === null ? [name, setting] : ['proxyjump', jump]
}

const splitOption = (text: string): [string, string] => {
  const [, name, value] = /^\s*(\w+)(?:\s*=\s*|\s+)(.*?)\s*$/s.exec(text) ?? []
  if (!name || value === undefined) throw new RangeError(`\`-o ${text}\` is not of the form -o Name=value`)
  return [name.toLowerCase(), /^"(.*)"$/s.exec(value)?.[1] ?? value]
}
