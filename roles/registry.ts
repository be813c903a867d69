import { findConfig, loadConfig } from '../lib/config.ts'
import { InputError, type Mistake } from '../lib/errors.ts'
import type { Role } from '../lib/model.ts'
import type { Exporter } from '../lib/program/exporter.ts'
import { alertmanager } from './alertmanager/role.ts'
import { base } from './base/role.ts'
import { cortexAlertmanager } from './cortex-alertmanager/role.ts'
import { catalogue } from './exporters/catalogue.ts'
import { exporters, exportersOf } from './exporters/role.ts'
import { gateway } from './gateway/role.ts'
import { nodeExporter } from './node-exporter/role.ts'
import { prometheus } from './prometheus/role.ts'
import { prometheusAgent } from './prometheus-agent/role.ts'
import { rules } from './rules/role.ts'
import { thanosQuery } from './thanos-query/role.ts'
import { thanosRule } from './thanos-rule/role.ts'
import { thanosSidecar } from './thanos-sidecar/role.ts'

/**
 * Every role that comes with Vestal. What status, check, upgrades, backups and the others know of a role they find on the role itself, so
 * that one more is one more line here. The order is that of a rollout: whoever is sent to comes before those who send.
 */
export const shippedRoles: readonly Role[] = [
  base,
  nodeExporter,
  exporters,
  alertmanager,
  cortexAlertmanager,
  rules,
  thanosSidecar,
  prometheus,
  prometheusAgent,
  thanosRule,
  thanosQuery,
  gateway,
]

/**
 * The roles for these inventories: those that come with Vestal, and those of the `vestal.config` that goes with them. Throws InputError
 * where that cannot be loaded, or a role of it has a name that is taken.
 */
export const rolesFor = async (inventories: readonly string[], here = process.cwd()): Promise<readonly Role[]> => {
  const file = findConfig(inventories, here)
  if (file === undefined) return shippedRoles
  const { roles = [], exporters: own = [] } = await loadConfig(file)
  const all = [...withExporters(own), ...roles]
  const mistakes = [
    ...own.flatMap(takenExporter(file, own)),
    ...roles.flatMap((one): readonly Mistake[] =>
      all.filter(({ name, key }) => name === one.name || key === one.key).length > 1
        ? [
            {
              where: file,
              what: `another role is called ${one.name}, or has its settings under ${one.key}`,
              fix: 'Choose another name.',
            },
          ]
        : [],
    ),
  ]
  if (mistakes.length > 0) throw new InputError(mistakes)
  return all
}

const withExporters = (own: readonly Exporter[]): readonly Role[] =>
  own.length === 0
    ? shippedRoles
    : shippedRoles.map((one) => (one === exporters ? exportersOf([...catalogue, ...own]) : one))

const takenExporter =
  (file: string, own: readonly Exporter[]) =>
  ({ name }: Exporter): readonly Mistake[] =>
    [...catalogue, ...own].filter((one) => one.name === name).length > 1
      ? [{ where: file, what: `another exporter is called ${name}`, fix: 'Choose another name.' }]
      : []
