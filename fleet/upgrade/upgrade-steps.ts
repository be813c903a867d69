import { parse } from 'yaml'
import { fileKind } from '../../lib/kinds/file.ts'
import { type UnitData, unitKind } from '../../lib/kinds/unit.ts'
import type { Host, Inventory, Task, UpgradeStep } from '../../lib/model.ts'
import { rolesOn, scopeOf } from '../../lib/playbook.ts'
import { bytesOf } from '../../lib/secret.ts'
import { versionIn } from '../stateful-services.ts'
import type { RunningVersions } from './running-versions.ts'
import { releasedRoles } from './settings.ts'

/** What advice is made of, for every released role on these hosts: as the inventory wants it, beside what runs. */
export const upgradeStepsOf = (
  inventory: Inventory,
  hosts: readonly Host[],
  running: ReadonlyMap<Host, RunningVersions>,
): readonly UpgradeStep[] =>
  hosts.flatMap((host) => {
    const now = running.get(host)
    if (!now) return []
    return rolesOn(host, releasedRoles(inventory.roles)).map((role): UpgradeStep => {
      const scope = scopeOf(role, host, inventory)
      const tasks = role.tasks(scope)
      const { config, rules } = role.upgrade ?? {}
      return {
        host: host.name,
        role,
        from: now.versions[role.key] ?? null,
        to: versionIn(scope.vars),
        config: config ? parsedFile(tasks, config(host)) : null,
        rules: rules ? tasks.flatMap((task) => rulesIn(task, rules(host))) : [],
        flags: flagsIn(tasks),
        folder: role.data?.folder(scope.vars) ?? '',
        observed: now.observed[role.key] ?? {},
      }
    })
  })

const textOf = (task: Task): string => {
  const content = task.kind.text?.(task)?.content
  return content === undefined ? '' : bytesOf(content).toString()
}

const parsedFile = (tasks: readonly Task[], path: string): unknown => {
  const task = tasks.find(({ kind, key }) => kind.name === fileKind.name && key === path)
  return task ? parse(textOf(task)) : null
}

const rulesIn = (task: Task, folder: string): UpgradeStep['rules'] => {
  if (task.kind.name !== fileKind.name || !task.key.startsWith(`${folder}/`)) return []
  const { groups = [] } = (parse(textOf(task)) ?? {}) as {
    groups?: readonly { name?: string; rules?: readonly { alert?: string; record?: string; expr?: unknown }[] }[]
  }
  return groups.flatMap(({ rules = [] }) =>
    rules.map(({ alert, record, expr }) => ({
      where: `${task.key.slice(folder.length + 1)}: ${alert ?? record ?? 'a rule'}`,
      expr: String(expr ?? ''),
    })),
  )
}

/** A unit's command line has one flag a line. */
const flagsIn = (tasks: readonly Task[]): UpgradeStep['flags'] => {
  const task = tasks.find(({ kind }) => kind.name === unitKind.name)
  const text = task ? (task.data as UnitData).text : ''
  const found = [...text.matchAll(/^\s+"?--([A-Za-z][A-Za-z0-9._-]*)(?:=(.*?))?"?(?: \\)?$/gm)]
  return new Map(
    [...Map.groupBy(found, ([, name = '']) => name)].map(([name, some]) => [
      name,
      some.map(([, , value = '']) => value),
    ]),
  )
}
