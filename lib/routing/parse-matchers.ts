/** Matchers as text. Source: Alertmanager's `pkg/labels/parse.go` (classic) and `matcher/parse` (UTF-8, from 0.27 on). */
import { unescaped } from '../go-strings.ts'
import { type Matcher, MatcherError, matcher, type Operator } from './matcher.ts'

export type Parser = (text: string) => readonly Matcher[]

/** As Alertmanager from 0.27 on reads them: by the newer rules, by the classic ones where only these fit or the two differ. */
export const parseMatchers: Parser = (text) => {
  const [utf8, classic] = [attempt(parseUtf8, text), attempt(parseClassic, text)]
  if (utf8 instanceof MatcherError) {
    if (classic instanceof MatcherError) throw utf8
    return classic
  }
  return classic instanceof MatcherError || JSON.stringify(classic) === JSON.stringify(utf8) ? utf8 : classic
}

/** As Alertmanager before 0.27 reads them. Throws MatcherError. */
export const parseClassic: Parser = (text) => partsOf(text.replace(/^\{/, '').replace(/\}$/, '')).map(classicMatcher)

const attempt = (parse: Parser, text: string): readonly Matcher[] | MatcherError => {
  try {
    return parse(text)
  } catch (error) {
    if (error instanceof MatcherError) return error
    throw error
  }
}

const partsOf = (text: string): readonly string[] => {
  const parts: string[] = []
  let [part, quoted, escaped] = ['', false, false]
  for (const character of text) {
    if (character === ',' && !quoted) {
      parts.push(part)
      part = ''
      continue
    }
    if (character === '"') {
      if (!escaped) quoted = !quoted
      escaped = false
    } else escaped = character === '\\' ? !escaped : false
    part += character
  }
  return part.trim() === '' ? parts : [...parts, part.trim()]
}

const classicMatcher = (text: string): Matcher => {
  const [, name, operator, raw] =
    /^[\t\n\f\r ]*([a-zA-Z_:][a-zA-Z0-9_:]*)[\t\n\f\r ]*(=~|=|!=|!~)[\t\n\f\r ]*([\s\S]*?)[\t\n\f\r ]*$/.exec(text) ??
    []
  if (name === undefined || operator === undefined || raw === undefined)
    throw new MatcherError(`${JSON.stringify(text)} is no matcher`)
  return matcher(name, operator as Operator, classicValue(raw))
}

const classicValue = (raw: string): string => {
  const quoted = raw.startsWith('"')
  const inner = quoted ? raw.slice(1) : raw
  const [, value, end] = /^((?:\\[\s\S]|[^"\\]|\\$)*)("?)$/.exec(inner) ?? []
  if (value === undefined || (end === '"') !== quoted)
    throw new MatcherError(`a double quote in ${raw} that is neither its first nor its last character`)
  return value.replaceAll(/\\([n"\\])/g, (_, letter) => (letter === 'n' ? '\n' : letter))
}

const TOKEN = /[\p{White_Space}]*(?:([{},])|(=~|!~|!=|=)|"((?:\\[\s\S]|[^"\\])*)"|([^\p{White_Space}{}!=~,\\"'`]+))/uy

interface Token {
  readonly mark?: string
  readonly operator?: Operator
  readonly text?: string
}

/** By the newer rules alone. Throws MatcherError. */
const parseUtf8: Parser = (text) => {
  const tokens = tokensOf(text)
  const braced = tokens[0]?.mark === '{'
  if (braced !== (tokens.length > 1 && tokens.at(-1)?.mark === '}'))
    throw new MatcherError(`a brace without its other in ${text}`)
  const inner = braced ? tokens.slice(1, -1) : tokens
  const found: Matcher[] = []
  for (let at = 0; at < inner.length; at += 4) {
    const [name, operator, value, comma] = inner.slice(at, at + 4)
    if (name?.text === undefined) throw new MatcherError(`expected the name of a label in ${text}`)
    if (!operator?.operator) throw new MatcherError(`expected =, !=, =~ or !~ behind ${name.text}`)
    if (value?.text === undefined) throw new MatcherError(`expected a value behind ${name.text}${operator.operator}`)
    if (comma && comma.mark !== ',') throw new MatcherError(`expected a comma behind the value of ${name.text}`)
    found.push(matcher(name.text, operator.operator, value.text))
  }
  return found
}

const tokensOf = (text: string): readonly Token[] => {
  const tokens: Token[] = []
  const end = text.trimEnd().length
  TOKEN.lastIndex = 0
  for (let at = 0; at < end; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at
    const [all, mark, operator, quoted, plain] = TOKEN.exec(text) ?? []
    if (all === undefined) throw new MatcherError(`${text.slice(at).trim()} is no part of a matcher`)
    tokens.push({
      mark,
      operator: operator as Operator | undefined,
      text: quoted === undefined ? plain : unquoted(quoted),
    })
    TOKEN.lastIndex = at + all.length
  }
  return tokens
}

/** As Go's strconv.Unquote reads a text in double quotes. */
const unquoted = (text: string): string => {
  if (text.includes('\n')) throw new MatcherError("a line's end inside quotes; write \\n")
  const read = unescaped(text, '"')
  if ('text' in read) return read.text
  throw new MatcherError(`${read.meaningless} means nothing inside quotes`)
}
