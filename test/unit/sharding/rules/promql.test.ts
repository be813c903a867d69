import { expect, test } from 'vitest'
import { type Expr, PromqlError, parsePromql } from '../../../../lib/sharding/rules/promql.ts'

/** The shape of an expression, with every operation in parentheses. */
const shape = (expr: Expr): string => {
  switch (expr.is) {
    case 'constant':
      return expr.text ?? '#'
    case 'selector':
      return expr.matchers
        .map(({ name, operator, value }) => (name === '__name__' ? value : `${name}${operator}${value}`))
        .join(' ')
    case 'call':
      return `${expr.name}(${expr.args.map(shape).join(', ')})`
    case 'aggregate':
      return `${expr.op} ${expr.without ? 'without' : 'by'}[${expr.labels}](${expr.args.map(shape).join(', ')})`
    case 'binary': {
      const { on, labels, many, include } = expr.match
      return `(${shape(expr.left)} ${expr.op}${on ? ` on[${labels}]` : labels.length > 0 ? ` ignoring[${labels}]` : ''}${many ? ` ${many}[${include}]` : ''} ${shape(expr.right)})`
    }
  }
}

test.each([
  ['SUM BY (a, "b.c") (rate(x{a="b", "c.d"=~"e"}[5m]))', 'sum by[a,b.c](rate(x a=b c.d=~e))'],
  ['sum(x) without (a)', 'sum without[a](x)'],
  ['{"dotted.name", a!~"b"}', 'dotted.name a!~b'],
  ['a + b offset 1h * c', '(a + (b * c))'],
  ['a or b offset 1h unless c', '(a or (b unless c))'],
  ['a + b @ end() * c', '(a + (b * c))'],
  ['rate(a[5m] offset -1h) > bool 2', '(rate(a) > #)'],
  ['max_over_time((a - b)[1h:1m] offset 5m)', 'max_over_time((a - b))'],
  ['-a ^ b', '(a ^ b)'],
  ['a / on (x) group_left (y) b # why', '(a / on[x] left[y] b)'],
  ['a * ignoring (x) group_right b', '(a * ignoring[x] right[] b)'],
  ['label_replace(a, \'x\', `$1`, "y", "a\\"b\\\\\\u00e9")', 'label_replace(a, x, $1, y, a"b\\é)'],
  ['topk by (a) (scalar(b), c)', 'topk by[a](scalar(b), c)'],
])('%s is read as Prometheus reads it', (text, expected) => {
  expect(shape(parsePromql(text))).toBe(expected)
})

test.each(['sum(x', 'x{a="b"', 'nonsense(x)', 'a b', '', 'x{a=~"("}', 'x{a="\\q"}'])('%s is refused', (text) => {
  expect(() => parsePromql(text)).toThrow(PromqlError)
})
