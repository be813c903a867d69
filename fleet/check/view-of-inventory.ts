import { parse } from 'yaml'
import type { FileData } from '../../lib/kinds/file.ts'
import type { ServiceData } from '../../lib/kinds/service.ts'
import type { Host, Inventory, Role, Task } from '../../lib/model.ts'
import { taskId } from '../../lib/model.ts'
import { scopeOf } from '../../lib/playbook.ts'
import { joined, portOf } from '../../lib/program/web.ts'
import { serviceOn } from '../../lib/role.ts'
import { CONFIG as ALERTMANAGER_CONFIG } from '../../roles/alertmanager/flags.ts'
import { alertmanager } from '../../roles/alertmanager/role.ts'
import { membersIn } from '../../roles/cortex-alertmanager/members.ts'
import { configOf, targetsFolder } from '../../roles/prometheus/config.ts'
import { prometheus } from '../../roles/prometheus/role.ts'
import { shardOf } from '../../roles/prometheus/shards.ts'
import { rulesFolder } from '../../roles/rules/files.ts'
import {
  type AlertmanagerConfig,
  alertmanagerView,
  type FleetView,
  type PrometheusConfig,
  prometheusView,
} from './view.ts'

/** The fleet that a deploy would make of this inventory: read from the very files and command lines it would write. */
export const inventoryView = (inventory: Inventory): FleetView => ({
  prometheus: hostsOf(inventory, 'prometheus').map((host) => {
    const tasks = tasksOf(prometheus, host, inventory)
    const { version } = prometheus.varsOf(host)
    const config = textOf(tasks, configOf(host))
    return prometheusView({
      host: host.name,
      shard: shardOf(host, inventory),
      version,
      config: (parse(config) ?? {}) as PrometheusConfig,
      command: commandOf(tasks, serviceOn(prometheus, host)),
      targets: config.slice(config.indexOf('scrape_configs:')) + sumsBelow(tasks, targetsFolder(host)),
      rules: sumsBelow(tasks, rulesFolder(host)),
    })
  }),
  alertmanagers: hostsOf(inventory, 'alertmanager').map((host) => {
    const tasks = tasksOf(alertmanager, host, inventory)
    const { version, listen } = alertmanager.varsOf(host)
    return alertmanagerView({
      host: host.name,
      address: joined(host.address, portOf(listen)),
      version,
      config: (parse(textOf(tasks, ALERTMANAGER_CONFIG)) ?? {}) as AlertmanagerConfig,
      command: commandOf(tasks, 'alertmanager'),
    })
  }),
  ring: membersIn(inventory).map(({ host, vars }) => joined(host.address, portOf(vars.listen))),
})

const hostsOf = ({ hosts }: Inventory, group: string): readonly Host[] =>
  hosts.filter(({ groups }) => groups.includes(group))

const tasksOf = <V>(role: Role<V>, host: Host, inventory: Inventory): readonly Task[] =>
  role.tasks(scopeOf(role, host, inventory))

/** Secrets show as `[secret]`. */
const textOf = (tasks: readonly Task[], path: string): string => {
  const task = tasks.find((one) => taskId(one) === `file ${path}`)
  return task ? String((task.data as FileData).content) : ''
}

const commandOf = (tasks: readonly Task[], name: string): readonly string[] => {
  const task = tasks.find((one) => taskId(one) === `service ${name}`)
  return task ? (task.data as ServiceData).command : []
}

const sumsBelow = (tasks: readonly Task[], folder: string): string =>
  JSON.stringify(
    tasks
      .filter(({ kind, key }) => kind.name === 'file' && key.startsWith(`${folder}/`))
      .map(({ key, desired }) => [key, desired?.sha256]),
  )
