/** The inventories that are deployed: a copy of inventory/ha that can be changed, and fifty machines that are only watched. */
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadInventory } from '../../lib/inventory/load.ts'
import { hostAddress } from '../../lib/lab/places.ts'
import type { Host } from '../../lib/model.ts'
import { rolesOf } from '../../lib/playbook.ts'
import deploy from '../../playbooks/deploy.ts'

export interface Fleet {
  /** The inventory's folder. */
  readonly folder: string
  readonly hosts: readonly Host[]
}

const HA = join(import.meta.dirname, '../../inventory/ha')

/** Two Prometheus, three Alertmanagers, one plain machine: inventory/ha as it is, with a rule file beside its own. */
export const haFleet = (into: string): Promise<Fleet> => {
  const folder = join(into, 'ha')
  cpSync(HA, folder, { recursive: true })
  changeRule({ folder }, 0)
  return open(folder)
}

/** The one change: the text of one alert in one rule file, on both Prometheus. */
export const changeRule = ({ folder }: Pick<Fleet, 'folder'>, version: number): void => {
  const annotations = { summary: `The benchmark's rule, version ${version}.` }
  const rule = { alert: 'VestalBench', expr: 'vestal_bench == 1', annotations }
  writeFileSync(join(folder, 'rules/bench.yml'), json({ groups: [{ name: 'bench', rules: [rule] }] }))
}

/** As if it had never been deployed: no lock file of releases. */
export const forget = ({ folder }: Fleet): void => rmSync(join(folder, '.vestal.lock.json'), { force: true })

/** Machines with a node_exporter each, in the lab and of the version of inventory/ha. */
export const watchedFleet = (into: string, size: number): Promise<Fleet> => {
  const folder = join(into, `watched-${size}`)
  const hosts = Array.from({ length: size }, (_, i) => [`node-${i + 1}`, { ansible_host: hostAddress(i + 1) }])
  mkdirSync(join(folder, 'group_vars'), { recursive: true })
  cpSync(join(HA, 'group_vars/all.yml'), join(folder, 'group_vars/all.yml'))
  writeFileSync(
    join(folder, 'hosts.yml'),
    json({ all: { children: { node_exporter: { hosts: Object.fromEntries(hosts) } } } }),
  )
  return open(folder)
}

export const addressesOf = ({ hosts }: Fleet, group: string): readonly string[] =>
  hosts.filter(({ groups }) => groups.includes(group)).map(({ address }) => address)

const open = async (folder: string): Promise<Fleet> => ({
  folder,
  hosts: (await loadInventory([folder], rolesOf(deploy))).hosts,
})

/** YAML's flow style is JSON. */
const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
