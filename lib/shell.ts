/** One word that every POSIX shell reads back unchanged: quotes, `$`, newlines and non-ASCII included. */
export const word = (text: string | number): string => {
  const plain = String(text)
  return /^[\w@%+=:,./-]+$/.test(plain) ? plain : `'${plain.replaceAll("'", `'\\''`)}'`
}

/** Words for a command line, each quoted. */
export const words = (texts: readonly (string | number)[]): string => texts.map(word).join(' ')
