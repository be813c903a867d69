import { isMap, isScalar, isSeq, type Node } from 'yaml'
import { entriesOf, follow, type Source } from './source.ts'

/** True for text with any Jinja or Go template mark: no connection variable has one with good reason. */
export const isTemplated = (text: string): boolean => /\{\{|\{%/.test(text)

/**
 * True for text that only Jinja can mean: `{% … %}`, `{{ name }}`, `{{ name.part }}`, `{{ name | filter }}`, `{{ lookup(…) }}`. Go
 * templates, which Alertmanager and Prometheus fill in themselves, are left alone: `{{ .Labels.job }}`, `{{ $value | humanize }}`,
 * `{{ template "x" . }}`.
 */
export const isJinja = (text: string): boolean =>
  /\{%.*%\}/s.test(text) ||
  [...text.matchAll(/\{\{-?\s*([A-Za-z_]\w*)(.*?)-?\}\}/gs)].some(
    ([, name = '', rest = '']) =>
      !GO_WORDS.has(name) && /^(?:[.[(]|\s*$|\s*[|+*/~%=<>!]|\s+(?:if|is|in|and|or|not)\s)/.test(rest),
  )

/** Words that can stand alone, or right before a bracket, in a Go template: its keywords, its functions and Prometheus' own. */
const GO_WORDS = new Set(
  [
    'end else break continue if range with template define block nil true false and or not eq ne lt le gt ge',
    'len index slice',
  ]
    .concat('print printf println html js urlquery call now externalURL pathPrefix')
    .flatMap((words) => words.split(' ')),
)

interface Found {
  readonly path: readonly string[]
  readonly node: Node
}

/** Every text below a node that `test` finds, with the way to it. What is tagged `!unsafe` is meant as it stands. */
export const textsThat = (source: Source, root: Node | null, test: (text: string) => boolean): readonly Found[] => {
  const found: Found[] = []
  const visit = (node: Node | null, path: readonly string[]): void => {
    const target = follow(source, node)
    if (!target || target.tag === '!unsafe' || target.tag?.startsWith('!vault')) return
    if (isSeq(target)) for (const [index, item] of target.items.entries()) visit(item as Node, [...path, String(index)])
    if (isMap(target)) for (const entry of entriesOf(source, target)) visit(entry.value, [...path, entry.name])
    if (isScalar(target) && typeof target.value === 'string' && test(target.value)) found.push({ path, node: target })
  }
  visit(root, [])
  return found
}
