import type { Template } from './rule-file.ts'

/** What in a template can differ between shards: what it asks itself, and labels that only shards have. */
export const templateDoubts = ({ text }: Template): readonly string[] =>
  [...text.matchAll(/\{\{(?:"(?:[^"\\]|\\.)*"|`[^`]*`|(?!\}\})[\s\S])*\}\}/g)].flatMap(([action]) => {
    const words = action.replaceAll(/"(?:[^"\\]|\\.)*"|`[^`]*`/g, '""')
    return [
      ...(/(?<![.$\w])query\b/.test(words) ? ['its template asks with `query`, which sees one shard alone'] : []),
      ...(EXTERNAL.test(words) ? ['its template shows external labels, which differ between shards'] : []),
    ]
  })

/** The map as a whole, or the label that tells shards apart. */
const EXTERNAL = /(?:\$externalLabels|\.ExternalLabels)(?!\.(?!shard\b)\w)/
