import { directory } from '../../lib/kinds/directory.ts'
import { file } from '../../lib/kinds/file.ts'
import type { Scope, Task } from '../../lib/model.ts'
import { rulesFolder } from './files.ts'
import { ownRules } from './placement.ts'
import type { RulesVars } from './vars.ts'

/**
 * The tasks that put the rule files on a host, and nothing else beside them; each is checked by the promtool at this path. Where targets are
 * spread over shards, only what a shard can evaluate alone. Throws InputError as `ownRules` does.
 */
export const ruleFiles = (scope: Scope<RulesVars>, promtool: string): readonly Task[] => {
  const files = ownRules(scope)
  const folder = rulesFolder(scope.host)
  return [
    directory(folder, { only: files.map(({ name }) => name) }),
    ...files.map(({ name, text }) => file(`${folder}/${name}`, text, { validate: `${promtool} check rules "$1"` })),
  ]
}

/** The paths of all rule files that hold at least one group. */
export const ruleFileNames = (scope: Scope<RulesVars>): readonly string[] =>
  ownRules(scope)
    .filter(({ groups }) => groups > 0)
    .map(({ name }) => `${rulesFolder(scope.host)}/${name}`)
