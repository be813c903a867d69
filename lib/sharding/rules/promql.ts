import { parser } from '@prometheus-io/lezer-promql'
import { type Matcher, MatcherError, matcher, type Operator } from '../../routing/matcher.ts'
import { unquoted } from './strings.ts'

/** Where a part stands in the text of its expression. */
export interface Span {
  readonly from: number
  readonly to: number
}
/**
 * What of an expression decides where it can be evaluated. Parentheses, signs, ranges, subqueries, `offset` and `@` are left out: they change
 * when and how a series is read, and never which series meet.
 */
export type Expr = Span &
  (
    | { readonly is: 'constant'; readonly text?: string }
    /** A metric's name is a matcher of `__name__`. */
    | { readonly is: 'selector'; readonly matchers: readonly Matcher[] }
    | { readonly is: 'call'; readonly name: string; readonly args: readonly Expr[] }
    | {
        readonly is: 'aggregate'
        readonly op: string
        readonly without: boolean
        readonly labels: readonly string[]
        readonly args: readonly Expr[]
      }
    | {
        readonly is: 'binary'
        readonly op: string
        readonly match: Matching
        readonly left: Expr
        readonly right: Expr
      }
  )
export interface Matching {
  /** Whether `labels` are those that must agree, or those that needn't. */
  readonly on: boolean
  readonly labels: readonly string[]
  /** The side of which many may meet one of the other. */
  readonly many?: 'left' | 'right'
  /** Labels that the many side takes from the one side. */
  readonly include: readonly string[]
  /** Whether what finds no partner is filled in. */
  readonly fill: boolean
}

/** A text that the grammar does not know as PromQL; `at` is the offset in it. */
export class PromqlError extends Error {
  override readonly name = 'PromqlError'
  readonly at: number
  constructor(at: number, what: string) {
    super(what)
    this.at = at
  }
}

type Node = ReturnType<typeof parser.parse>['topNode']

/** Reads an expression by the official grammar of Prometheus. Throws PromqlError. */
export const parsePromql = (text: string): Expr => {
  const plain = withoutModifiers(text)
  return exprOf(childrenOf(treeOf(plain))[0], plain)
}

const treeOf = (text: string): Node => {
  const root = parser.parse(text).topNode
  const wrong = firstError(root)
  if (wrong)
    throw new PromqlError(
      wrong.from,
      'is not PromQL as the grammar of Prometheus 3.15 has it, or too long for its parser',
    )
  return root
}

const firstError = (node: Node): Node | undefined => {
  if (node.type.isError) return node
  for (const child of childrenOf(node)) {
    const found = firstError(child)
    if (found) return found
  }
  return undefined
}

const MODIFIED = new Set([
  'OffsetExpr',
  'StepInvariantExpr',
  'MatrixSelector',
  'SubqueryExpr',
  'AnchoredExpr',
  'SmoothedExpr',
])

/**
 * The same text with blanks for what stands behind an expression to say when it is read. The grammar lets these take all that stands before
 * them, `a + b offset 1h` as a whole, where Prometheus takes the last operand alone: without them both read it alike.
 */
const withoutModifiers = (text: string): string => {
  const blanks: Span[] = []
  const visit = (node: Node): void => {
    const [inner] = childrenOf(node)
    if (MODIFIED.has(node.name) && inner) blanks.push({ from: inner.to, to: node.to })
    for (const child of childrenOf(node)) visit(child)
  }
  visit(treeOf(text))
  return blanks.reduce(
    (so, { from, to }) => so.slice(0, from) + so.slice(from, to).replaceAll(/[^\n]/g, ' ') + so.slice(to),
    text,
  )
}

const childrenOf = (node: Node): readonly Node[] => {
  const children: Node[] = []
  for (let child = node.firstChild; child; child = child.nextSibling)
    if (child.name !== 'LineComment') children.push(child)
  return children
}

const exprOf = (node: Node | undefined, text: string): Expr => {
  if (!node) throw new PromqlError(0, 'is empty')
  const { from, to } = node
  const children = childrenOf(node)
  const last = children.at(-1)
  switch (node.name) {
    case 'ParenExpr':
    case 'UnaryExpr':
      return exprOf(last, text)
    case 'NumberDurationLiteral':
      return { is: 'constant', from, to }
    case 'StringLiteral':
      return { is: 'constant', from, to, text: stringOf(node, text) }
    case 'VectorSelector':
      return { is: 'selector', from, to, matchers: matchersOf(children, text) }
    case 'FunctionCall':
      return { is: 'call', from, to, name: wordOf(children[0], text), args: argsOf(last, text) }
    case 'AggregateExpr': {
      const modifier = children.find(({ name }) => name === 'AggregateModifier')
      const body = children.find(({ name }) => name === 'FunctionCallBody')
      return {
        is: 'aggregate',
        from,
        to,
        op: wordOf(children[0], text),
        without: modifier !== undefined && childrenOf(modifier)[0]?.name === 'Without',
        labels: labelsOf(modifier && childrenOf(modifier).at(-1), text),
        args: argsOf(body, text),
      }
    }
    case 'BinaryExpr':
      return {
        is: 'binary',
        from,
        to,
        op: wordOf(children[1], text),
        match: matchingOf(children, text),
        left: exprOf(children[0], text),
        right: exprOf(last, text),
      }
    default:
      throw new PromqlError(from, `has a part that is not understood (${node.name})`)
  }
}

const wordOf = (node: Node | undefined, text: string): string =>
  node ? text.slice(node.from, node.to).toLowerCase() : ''

const argsOf = (body: Node | undefined, text: string): readonly Expr[] =>
  body ? childrenOf(body).map((arg) => exprOf(arg, text)) : []

const labelsOf = (grouping: Node | undefined, text: string): readonly string[] =>
  grouping ? childrenOf(grouping).map((label) => labelName(label, text)) : []

const labelName = (node: Node, text: string): string =>
  node.name === 'QuotedLabelName' ? stringOf(node, text) : text.slice(node.from, node.to)

const stringOf = ({ from, to }: Node, text: string): string => {
  const read = unquoted(text.slice(from, to))
  if (read === undefined) throw new PromqlError(from, 'has a text in quotes that is not understood')
  return read
}

const matchersOf = (children: readonly Node[], text: string): readonly Matcher[] =>
  children.flatMap((child) =>
    child.name === 'LabelMatchers'
      ? childrenOf(child).map((one) => matcherOf(one, text))
      : [{ name: '__name__', operator: '=' as const, value: text.slice(child.from, child.to) }],
  )

const matcherOf = (node: Node, text: string): Matcher => {
  if (node.name === 'QuotedLabelName') return { name: '__name__', operator: '=', value: stringOf(node, text) }
  const [name, operator, value] = childrenOf(node)
  if (!name || !operator || !value) throw new PromqlError(node.from, 'has a matcher that is not understood')
  try {
    return matcher(labelName(name, text), wordOf(operator, text) as Operator, stringOf(value, text))
  } catch (error) {
    if (error instanceof MatcherError) throw new PromqlError(value.from, error.message)
    throw error
  }
}

const matchingOf = (children: readonly Node[], text: string): Matching => {
  const clause = children.find(({ name }) => name === 'MatchingModifierClause')
  const parts = clause ? childrenOf(clause) : []
  const many = parts.findIndex(({ name }) => name === 'GroupLeft' || name === 'GroupRight')
  return {
    on: parts[0]?.name === 'On',
    labels: labelsOf(parts[1], text),
    ...(many > 0 && { many: parts[many]?.name === 'GroupLeft' ? 'left' : 'right' }),
    include: many > 0 ? labelsOf(parts[many + 1], text) : [],
    fill: children.some(({ name }) => name === 'FillModifier'),
  }
}
