import { isSeq, parseDocument, stringify, visit, type YAMLMap } from 'yaml'
import { InputError } from '../../errors.ts'
import { lintRules, type Verdict } from './lint.ts'
import { type Rule, type RuleText, rulesOf } from './rule-file.ts'
import type { Sharding } from './sharding.ts'

/** The rule files for each of the two places where rules are evaluated. */
export interface SplitRules<T extends RuleText> {
  /** For every shard. */
  readonly shard: readonly T[]
  /** For the tier that sees all shards. */
  readonly global: readonly T[]
  /** Of every rule, in the order of the files. */
  readonly verdicts: readonly Verdict[]
}

/** Judges the rules of files together, as `lintRules` does. Throws InputError with every mistake where one can't be read. */
export const lintFiles = (
  files: readonly RuleText[],
  sharding: Sharding,
  said?: (rule: Rule) => Verdict['place'] | undefined,
): readonly Verdict[] => {
  const read = files.map(rulesOf)
  const mistakes = read.flatMap((one) => one.mistakes)
  if (mistakes.length > 0) throw new InputError(mistakes)
  return lintRules(
    read.flatMap(({ rules }) => rules),
    sharding,
    said,
  )
}

/**
 * Parts rule files by where their rules can be evaluated. A file whose rules all go to one place is left as it is; of another each place
 * has a file of the same name, without the rules of the other place.
 * Throws InputError where a file can't be read.
 */
export const splitRules = <T extends RuleText>(
  files: readonly T[],
  sharding: Sharding,
  said?: (rule: Rule) => Verdict['place'] | undefined,
): SplitRules<T> => {
  const verdicts = lintFiles(files, sharding, said)
  const byFile = Map.groupBy(verdicts, ({ rule }) => rule.file)
  const part = (file: T, place: Verdict['place']): readonly T[] => {
    const all = byFile.get(file.path) ?? []
    const others = all.filter((one) => one.place !== place)
    if (others.length === 0) return all.length > 0 || place === 'shard' ? [file] : []
    if (others.length === all.length) return []
    return [
      {
        ...file,
        text: without(
          file.text,
          others.map(({ rule }) => rule),
        ),
      },
    ]
  }
  return {
    shard: files.flatMap((file) => part(file, 'shard')),
    global: files.flatMap((file) => part(file, 'global')),
    verdicts,
  }
}

/** A rule file without some of its rules, and without the groups that then have none. */
const without = (text: string, gone: readonly Rule[]): string => {
  // Texts alone: what looks like a number stays as it was written.
  const document = parseDocument(text, { schema: 'failsafe', logLevel: 'error' })
  const places = new Set(gone.map(({ at }) => at.join()))
  const groups = document.get('groups')
  if (!isSeq<YAMLMap>(groups)) return text
  let aliases = false
  visit(document, {
    Alias() {
      aliases = true
    },
  })
  if (aliases) return withoutAliases(text, places)
  groups.items = groups.items.filter((group, groupAt) => {
    const rules = group.get('rules')
    if (!isSeq(rules)) return true
    rules.items = rules.items.filter((_, at) => !places.has([groupAt, at].join()))
    return rules.items.length > 0
  })
  return document.toString({ lineWidth: 0 })
}

/** The same for a file that repeats parts of itself: what goes may be what another part stands for. */
const withoutAliases = (text: string, places: ReadonlySet<string>): string => {
  const content = parseDocument(text).toJS() as { groups: { rules?: unknown[] }[] }
  const groups = content.groups
    .map((group, groupAt) => ({
      ...group,
      rules: (group.rules ?? []).filter((_, at) => !places.has([groupAt, at].join())),
    }))
    .filter(({ rules }) => rules.length > 0)
  return stringify({ ...content, groups }, { lineWidth: 0, aliasDuplicateObjects: false })
}
