/** Splits as a POSIX shell does, without expanding anything. Throws RangeError for a quote that is not closed. */
export const splitWords = (text: string): string[] => {
  const words: string[] = []
  let word: string | undefined
  for (const [part] of text.matchAll(/\s+|'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\]+|['"\\]/gs)) {
    if (/^\s/.test(part)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (/^['"\\]$/.test(part)) throw new RangeError('a quote that is not closed')
    else if (part.startsWith("'")) word = (word ?? '') + part.slice(1, -1)
    else if (part.startsWith('"')) word = (word ?? '') + part.slice(1, -1).replace(/\\(["\\$`])/g, '$1')
    else word = (word ?? '') + (part.startsWith('\\') ? part.slice(1) : part)
  }
  return word === undefined ? words : [...words, word]
}
