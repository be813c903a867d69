import type { Template } from './rule-file.ts'

/** What in a template can differ between shards: what it asks itself, and the external labels that each server has of its `own`. */
export const templateDoubts = ({ text }: Template, own: readonly string[]): readonly string[] => {
  const doubts = [...text.matchAll(ACTION)].flatMap(([action]) => {
    const words = action.replaceAll(QUOTED, '""')
    const external = [...words.matchAll(/(?:\$externalLabels|\.ExternalLabels)(?:\.(\w+))?/g)].map(([, label]) => label)
    return [
      ...(/(?<![.$\w])query\b/.test(words) ? ['its template asks with `query`, which sees one shard alone'] : []),
      // The map as a whole holds them too.
      ...(external.some((label) => label === undefined || own.includes(label))
        ? ['its template shows external labels that differ between shards']
        : []),
    ]
  })
  return text.replaceAll(ACTION, '').includes('{{') ? [...doubts, 'its template cannot be read'] : doubts
}

const QUOTED = /"(?:[^"\\]|\\.)*"|`[^`]*`|'(?:[^'\\]|\\.)'/g
/** What stands between braces; braces in quotes are not its end. */
const ACTION = /\{\{(?:"(?:[^"\\]|\\.)*"|`[^`]*`|'(?:[^'\\]|\\.)'|(?!\}\})[^"`'])*\}\}/g
