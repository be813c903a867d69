const ESCAPE = /\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-7]{3})|([\s\S])|$)/g
/** Characters by the letter that C, Go and systemd write behind a backslash for them. */
export const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
}

/**
 * What stands between two quotes, read as Go's `strconv.Unquote` reads it: `\xNN` and `\NNN` are bytes. Where an escape means nothing there, that escape alone;
 * where bytes make no UTF-8, the first of them.
 */
export const unescaped = (
  inner: string,
  quote: '"' | "'",
): { readonly text: string } | { readonly meaningless: string } => {
  const parts: Buffer[] = []
  let end = 0
  let firstByte: string | undefined
  for (const found of inner.matchAll(ESCAPE)) {
    const [all, hex, short, long, octal, letter] = found
    parts.push(Buffer.from(inner.slice(end, found.index)))
    end = found.index + all.length
    const byte = hex === undefined ? Number.parseInt(octal ?? '', 8) : Number.parseInt(hex, 16)
    const point = Number.parseInt(short ?? long ?? '', 16)
    const plain = letter === quote ? quote : ESCAPES[letter ?? '']
    if (byte <= 0xff) {
      parts.push(Buffer.of(byte))
      firstByte ??= all
    } else if (point <= 0x10_ff_ff) parts.push(Buffer.from(String.fromCodePoint(point)))
    else if (plain !== undefined) parts.push(Buffer.from(plain))
    else return { meaningless: all }
  }
  if (end === 0) return { text: inner }
  parts.push(Buffer.from(inner.slice(end)))
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(parts)) }
  } catch {
    return { meaningless: firstByte ?? inner }
  }
}
