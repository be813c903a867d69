import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readText } from '../inventory/files.ts'
import { collectMistakes } from '../inventory/mistakes.ts'
import { placeOf } from '../inventory/schema/explain.ts'
import { startChecks } from '../inventory/schema/validate.ts'
import { readSecrets } from '../inventory/yaml/secrets.ts'
import { parseSource } from '../inventory/yaml/source.ts'
import { isJinja } from '../inventory/yaml/templating.ts'
import { variableReader } from '../inventory/yaml/variable.ts'
import { MatcherError } from './matcher.ts'
import { type Silence, silenceOf, silencesSchema } from './silence.ts'

/** The silences in the files of a folder (`*.yml`, `*.yaml`, `*.json`). Throws one InputError with all mistakes. */
export const silencesIn = (folder: string): readonly Silence[] => {
  const mistakes = collectMistakes()
  if (!existsSync(folder))
    mistakes.add(folder, {
      what: 'there is no such folder of silences',
      fix: 'make it with: vestal silences export -i … > silences/NAME.yml',
    })
  mistakes.throwAny()
  const variable = variableReader(readSecrets({}, mistakes))
  const checks = startChecks(mistakes)
  const names = readdirSync(folder)
    .filter((name) => /^[^.].*\.(?:ya?ml|json)$/.test(name))
    .sort()
  const silences = names.flatMap((name) => {
    const source = parseSource({ file: join(folder, name), text: readText(join(folder, name)) }, mistakes)
    if (!source?.root) return []
    const list = variable(source, { name, key: source.root, value: source.root })
    return (checks.parse(list, silencesSchema, isJinja) ?? []).flatMap((one, at) => {
      try {
        return [silenceOf(one)]
      } catch (error) {
        if (!(error instanceof MatcherError)) throw error
        mistakes.add(placeOf(list, [at, 'matchers']), {
          what: error.message,
          fix: 'write matchers as in namespace="x"',
        })
        return []
      }
    })
  })
  mistakes.throwAny()
  return silences
}
