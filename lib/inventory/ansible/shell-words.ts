/** A word of a line, and where it begins. */
export interface ShellWord {
  readonly text: string
  readonly at: number
}

/**
 * The words of a line as an INI inventory's hosts are split: quotes and backslashes as POSIX has them, and `#` begins a comment wherever it stands outside
 * of quotes. Source: CPython, Lib/shlex.py (posix, whitespace_split, comments). Throws RangeError for a quote that is not closed.
 */
export const shellWords = (line: string): readonly ShellWord[] => {
  const words: ShellWord[] = []
  let word: { text: string; at: number } | undefined
  let at = 0
  const add = (text: string): void => {
    word ??= { text: '', at }
    word.text += text
  }
  while (at < line.length) {
    const char = line.charAt(at)
    if (/[ \t\r\n]/.test(char)) {
      if (word) words.push(word)
      word = undefined
      at += 1
    } else if (char === '#') break
    else if (char === "'" || char === '"') {
      const [whole, inner = ''] = (char === "'" ? /'([^']*)'/y : /"((?:\\.|[^"\\])*)"/sy).exec(restOf(line, at)) ?? []
      if (whole === undefined) throw new RangeError('a quote that is not closed')
      add(char === "'" ? inner : inner.replace(/\\(["\\])/g, '$1'))
      at += whole.length
    } else if (char === '\\') {
      if (at + 1 >= line.length) throw new RangeError('a backslash at the end of the line')
      add(line.charAt(at + 1))
      at += 2
    } else {
      add(char)
      at += 1
    }
  }
  return word ? [...words, word] : words
}

const restOf = (line: string, at: number): string => line.slice(at)
