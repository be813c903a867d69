import { expect, test } from 'vitest'
import { MatcherError } from '../../../lib/routing/matcher.ts'
import { parseClassic, parseMatchers } from '../../../lib/routing/parse-matchers.ts'

const shown = (parse: typeof parseMatchers, text: string): string => {
  try {
    return parse(text)
      .map(({ name, operator, value }) => `${name}${operator}[${value}]`)
      .join(' ')
  } catch (error) {
    if (error instanceof MatcherError) return 'refused'
    throw error
  }
}

test.each([
  ['a=b', 'a=[b]', 'a=[b]'],
  [' a = "b, c" , d!~e.* ', 'a=[b, c] d!~[e.*]', 'a=[b, c] d!~[e.*]'],
  ['{a="b",}', 'a=[b]', 'a=[b]'],
  ['a=', 'a=[]', 'a=[]'],
  ['a="x\\"y\\\\z\\n"', 'a=[x"y\\z\n]', 'a=[x"y\\z\n]'],
  ['"ä.b"=c', 'ä.b=[c]', 'refused'],
  ['ä=c', 'ä=[c]', 'refused'],
  ['a="\\d"', 'a=[\\d]', 'a=[\\d]'],
  ['a=b c', 'a=[b c]', 'a=[b c]'],
  ['a=~"("', 'refused', 'refused'],
  ['a', 'refused', 'refused'],
  ['a="b', 'refused', 'refused'],
])('%s is read as Alertmanager from 0.27 on and before it reads it', (text, now, before) => {
  expect([shown(parseMatchers, text), shown(parseClassic, text)]).toEqual([now, before])
})
