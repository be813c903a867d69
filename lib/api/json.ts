/** No answer that Vestal asks for has more: 10,000 targets with 40 labels each stay below. */
const MOST_VALUES = 500_000

/**
 * An answer's text as JSON. Throws an Error where it is none, or holds so many values that they would not fit into memory: a megabyte of `[[],[],…`
 * takes thirty.
 */
export const parseJson = (text: string): unknown => {
  if (text.length > MOST_VALUES && separatorsIn(text) > MOST_VALUES)
    throw new Error(`it has more than ${MOST_VALUES} values`)
  return JSON.parse(text)
}

/** Commas and opening brackets, those in texts too. */
const separatorsIn = (text: string): number => {
  let count = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === COMMA || code === BRACKET || code === BRACE) count += 1
  }
  return count
}
const [COMMA, BRACKET, BRACE] = [0x2c, 0x5b, 0x7b]
