import { isMap, isScalar, isSeq, type Node } from 'yaml'
import { Secret } from '../../secret.ts'
import type { Secrets } from './secrets.ts'
import { type Entry, entriesOf, follow, type Source } from './source.ts'

/** One setting of one variable, in one file. Hosts that get their value from the same place share it. */
export interface Variable {
  readonly name: string
  readonly source: Source
  readonly key: Node
  readonly node: Node | null
  /** Where it was put together from several places: each of them, the last winning. */
  readonly layers?: readonly Variable[]
  /** Its templates are evaluated: what is left of such marks is meant so. */
  readonly evaluated?: boolean
  /** Its value as Ansible has it, where the role takes it otherwise. */
  readonly written?: () => unknown
  /** Its value: plain, frozen data with a Secret for each secret. Read when first asked for. */
  value(): unknown
}

/** Makes variables of the entries of a mapping. */
export type ReadVariable = (source: Source, entry: Entry) => Variable

/** Connection variables whose plain text is a secret all the same. */
const isPassword = (name: string): boolean => /^ansible_(\w+_)?(pass|password|passphrase|private_key)$/.test(name)

export const variableReader = (secrets: Secrets): ReadVariable => {
  const known = new WeakMap<Node, unknown>()
  const read = (source: Source, node: Node | null): unknown => {
    const target = follow(source, node)
    if (!target) return null
    if (!known.has(target)) known.set(target, Object.freeze(fresh(source, target)))
    return known.get(target)
  }
  const fresh = (source: Source, node: Node): unknown => {
    if (isSeq(node)) return node.items.map((item) => read(source, item as Node))
    if (isMap(node))
      return (
        secrets.referred(source, node) ??
        Object.fromEntries(entriesOf(source, node).map(({ name, value }) => [name, read(source, value)]))
      )
    if (!isScalar(node)) return null
    if (node.tag === '!vault' || node.tag === '!vault-encrypted') return secrets.vaulted(source, node)
    if (source.sealed && typeof node.value === 'string') return new Secret(node.value)
    // A number too large to be kept exactly stays the text that it is.
    const large = typeof node.value === 'number' && Math.abs(node.value) > Number.MAX_SAFE_INTEGER
    return large && Number.isFinite(node.value) && node.source ? node.source : node.value
  }
  return (source, { name, key, value: node }) => ({
    name,
    source,
    key,
    node,
    value: memo(() => {
      const value = read(source, node)
      return isPassword(name) && typeof value === 'string' ? new Secret(value) : value
    }),
  })
}

const memo = <T>(make: () => T): (() => T) => {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
