import { splitWords } from './words.ts'

/** The ProxyJump that a ProxyCommand of the form `ssh -W %h:%p BASTION` stands for, null for any other command. */
export const jumpOf = (command: string): string | null => {
  const [program = '', ...rest] = wordsIn(command)
  if (!/(^|\/)ssh$/.test(program)) return null
  const said: Record<string, string> = {}
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '-q') continue
    const [, flag, joined] = /^-([Wpl])(.*)$/.exec(word) ?? []
    if (flag) said[flag] = joined || (rest.shift() ?? '')
    else if (word.startsWith('-') || said.host) return null
    else said.host = word
  }
  const { W, p, l, host } = said
  return W === '%h:%p' && host ? `${l ? `${l}@` : ''}${host}${p ? `:${p}` : ''}` : null
}

/** None where a quote is not closed: no shell would run that. */
const wordsIn = (command: string): string[] => {
  try {
    return splitWords(command)
  } catch (error) {
    if (error instanceof RangeError) return []
    throw error
  }
}
