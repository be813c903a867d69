import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type Scalar, type YAMLMap } from 'yaml'
import type { Mistake } from '../../errors.ts'
import { offsetsIn } from './offsets.ts'

/** A text with rules, and what it is called where mistakes are told. */
export interface RuleText {
  readonly path: string
  readonly text: string
}
/** One rule, where it stands. */
export interface Rule {
  readonly file: string
  readonly group: string
  /** Its place among the groups of its file, and among the rules of its group. */
  readonly at: readonly [number, number]
  readonly kind: 'alert' | 'record'
  readonly name: string
  readonly expr: string
  /** Those of its group are among them. */
  readonly labels: Readonly<Record<string, string>>
  /** Texts with templates: of labels and annotations. */
  readonly templates: readonly Template[]
  readonly line: number
  /** `file:line:col` of an offset in its expression. */
  where(offset: number): string
  /** `file:line:col` of a label that it sets. */
  whereLabel(label: string): string
}
export interface Template {
  readonly text: string
  readonly where: string
}

/** The rules of a file, and what is wrong with it: no YAML, no groups, a rule without a name or an expression. */
export const rulesOf = ({
  path,
  text,
}: RuleText): { readonly rules: readonly Rule[]; readonly mistakes: readonly Mistake[] } => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' })
  const placeOf = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${path}:${line || 1}:${col || 1}`
  }
  const followed = (node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node)
  const [error] = document.errors
  if (error)
    return { rules: [], mistakes: [{ where: placeOf(error.pos[0]), what: `not valid YAML: ${error.message}` }] }
  const groups = isMap(document.contents) ? followed(document.contents.get('groups', true)) : undefined
  if (!isSeq(groups))
    return {
      rules: [],
      mistakes: [{ where: placeOf(0), what: 'is no rule file: it has no list of `groups:` at its top' }],
    }
  const mistakes: Mistake[] = []
  const rules = groups.items.flatMap((item, groupAt) => {
    const group = followed(item)
    const list = isMap(group) ? followed(group.get('rules', true)) : undefined
    if (!isMap(group) || !isSeq(list)) return []
    return list.items.flatMap((one, at) => {
      const around = { group: group as YAMLMap, at: [groupAt, at] as const, path, text, placeOf, followed }
      const node = followed(one)
      const rule = isMap(node) && !merges([node, group], followed) ? ruleOf(node as YAMLMap, around) : undefined
      if (rule) return [rule]
      const where = placeOf((one as Node | null)?.range?.[0] ?? 0)
      mistakes.push({
        where,
        what: 'is no rule with `alert` or `record` and `expr` that can be read here; `<<` is not followed',
      })
      return []
    })
  })
  return { rules, mistakes }
}

interface Around {
  readonly group: YAMLMap
  readonly at: readonly [number, number]
  readonly path: string
  readonly text: string
  placeOf(offset: number): string
  /** What an alias stands for; other nodes as they are. */
  followed(node: unknown): unknown
}

/** Whether one of these mappings, or its labels, takes entries from elsewhere. */
const merges = (maps: readonly unknown[], followed: Around['followed']): boolean =>
  maps
    .flatMap((map) => (isMap(map) ? [map, followed(map.get('labels', true))] : []))
    .some((map) => isMap(map) && map.items.some(({ key }) => isScalar(key) && key.value === '<<'))

const ruleOf = (node: YAMLMap, { group, at, path, text, placeOf, followed }: Around): Rule | undefined => {
  const kind = node.has('alert') ? 'alert' : 'record'
  const [name, expr] = [followed(node.get(kind, true)), followed(node.get('expr', true))]
  if (!isScalar(name) || !isScalar(expr)) return undefined
  const texts = (map: YAMLMap, field: string) => scalarsOf(followed(map.get(field, true)), followed)
  const labels = [...texts(group, 'labels'), ...texts(node, 'labels')]
  const annotations = texts(node, 'annotations')
  const start = expr.range?.[0] ?? 0
  const offsets = offsetsIn(expr as Scalar<unknown>, text)
  const templated = kind === 'alert' ? [...labels, ...annotations] : []
  return {
    file: path,
    group: String(group.get('name') ?? ''),
    at,
    kind,
    name: String(name.value),
    expr: String(expr.value),
    labels: Object.fromEntries(labels.map(([label, value]) => [label, String(value.value)])),
    templates: templated.map(([, value]) => ({ text: String(value.value), where: placeOf(value.range?.[0] ?? 0) })),
    line: lineOf(placeOf(node.range?.[0] ?? 0)),
    where: (offset) => placeOf(offsets(offset)),
    whereLabel: (label) => placeOf(labels.findLast(([key]) => key === label)?.[1].range?.[0] ?? start),
  }
}

const lineOf = (place: string): number => Number(place.split(':').at(-2))

const scalarsOf = (node: unknown, followed: Around['followed']): readonly (readonly [string, Scalar])[] =>
  isMap(node)
    ? node.items.flatMap(({ key, value: item }) => {
        const value = followed(item)
        return isScalar(key) && isScalar(value) ? [[String(key.value), value] as const] : []
      })
    : []
