import { parse } from 'yaml'
import { fileKind } from '../../lib/kinds/file.ts'
import { type UnitData, unitKind } from '../../lib/kinds/unit.ts'
import type { Host, Inventory, Role, Task } from '../../lib/model.ts'
import { scopeOf } from '../../lib/playbook.ts'
import type { Subject } from '../../lib/program/known-issue.ts'
import { withKey } from '../../lib/program/known-issue.ts'
import { bytesOf } from '../../lib/secret.ts'
import { CONFIG as ALERTMANAGER } from '../../roles/alertmanager/flags.ts'
import { alertmanager } from '../../roles/alertmanager/role.ts'
import { nodeExporter } from '../../roles/node-exporter/role.ts'
import { CONFIG as PROMETHEUS } from '../../roles/prometheus/config.ts'
import { prometheus } from '../../roles/prometheus/role.ts'
import { RULES } from '../../roles/rules/files.ts'
import type { Running } from './running-versions.ts'

/** What advice is made of, for every program on these hosts: as the inventory wants it, beside what runs. */
export const subjectsOf = (
  inventory: Inventory,
  hosts: readonly Host[],
  running: ReadonlyMap<Host, Running>,
): readonly Subject[] =>
  hosts.flatMap((host) => {
    const now = running.get(host)
    if (!now) return []
    const subjects = PARTS.filter(({ role }) => host.groups.includes(role.group ?? '')).map(
      ({ role, program, config }): Subject => {
        const tasks = role.tasks(scopeOf(role, host, inventory))
        const parsed = parsedFile(tasks, config)
        const withFallback = new Set(
          withKey(parsed, 'scrape_configs')
            .flatMap(({ value }) => (Array.isArray(value) ? value : []))
            .filter((job) => job?.fallback_scrape_protocol !== undefined)
            .map((job) => String(job.job_name)),
        )
        return {
          host: host.name,
          program,
          from: now.versions[program] ?? null,
          to: (role as Role<{ version: string }>).varsOf(host).version,
          config: parsed,
          rules: tasks.flatMap(rulesIn),
          flags: flagsIn(tasks),
          runningLabel: program === 'alertmanager' ? now.label : undefined,
          untyped: program === 'prometheus' ? now.untyped.filter(({ job }) => !withFallback.has(job)) : [],
        }
      },
    )
    return subjects
  })

const PARTS = [
  { role: prometheus as Role, program: 'prometheus', config: PROMETHEUS },
  { role: alertmanager as Role, program: 'alertmanager', config: ALERTMANAGER },
  { role: nodeExporter as Role, program: 'node_exporter', config: '' },
] as const

const textOf = (task: Task): string => {
  const content = task.kind.text?.(task)?.content
  return content === undefined ? '' : bytesOf(content).toString()
}

const parsedFile = (tasks: readonly Task[], path: string): unknown => {
  const task = tasks.find(({ kind, key }) => kind.name === fileKind.name && key === path)
  return task ? parse(textOf(task)) : null
}

const rulesIn = (task: Task): Subject['rules'] => {
  if (task.kind.name !== fileKind.name || !task.key.startsWith(`${RULES}/`)) return []
  const { groups = [] } = (parse(textOf(task)) ?? {}) as {
    groups?: readonly { name?: string; rules?: readonly { alert?: string; record?: string; expr?: unknown }[] }[]
  }
  return groups.flatMap(({ rules = [] }) =>
    rules.map(({ alert, record, expr }) => ({
      where: `${task.key.slice(RULES.length + 1)}: ${alert ?? record ?? 'a rule'}`,
      expr: String(expr ?? ''),
    })),
  )
}

/** A unit's command line has one flag a line. */
const flagsIn = (tasks: readonly Task[]): Subject['flags'] => {
  const task = tasks.find(({ kind }) => kind.name === unitKind.name)
  const text = task ? (task.data as UnitData).text : ''
  const found = [...text.matchAll(/^\s+"?--([a-z][a-z0-9.-]*)(?:=(.*?))?"?(?: \\)?$/gm)]
  return new Map(
    [...Map.groupBy(found, ([, name = '']) => name)].map(([name, some]) => [
      name,
      some.map(([, , value = '']) => value),
    ]),
  )
}
