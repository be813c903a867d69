/** Text as it stands in HTML and XML. What hosts say is shown there, never obeyed: every text is escaped, and markup is only what this code writes. */
import { escaped } from '../print.ts'

/** Markup: made by `markup` alone, or of a library that draws. */
export class Markup {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}
type Part = string | number | Markup | readonly Part[]

/** Fills texts into markup, escaped. Lists are joined. */
export const markup = (written: TemplateStringsArray, ...parts: readonly Part[]): Markup =>
  new Markup(written.map((text, at) => `${text}${at < parts.length ? filled(parts[at] ?? '') : ''}`).join(''))

const filled = (part: Part): string => {
  if (part instanceof Markup) return part.text
  return typeof part === 'object' ? part.map(filled).join('') : escapedText(String(part))
}

/** Characters that neither HTML nor XML 1.0 may have, and those that change the direction of writing, are shown by their number. */
export const escapedText = (text: string): string =>
  escaped(text).replaceAll(/[&<>"']/g, (one) => `&#${one.codePointAt(0)};`)
