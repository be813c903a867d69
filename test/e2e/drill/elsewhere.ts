/** The other fleets that drills are held on: the examples of shards and of a ring, on which canary alerts come each second and are quick to be over. */
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { configure, deploy, emptyStore, on } from '../cortex/ring.ts'
import { GLOBAL, on as onGlobal, until } from '../shards/fleet.ts'
import { project } from '../vestal.ts'
import { PACE } from './fleet.ts'

const copyOf = (example: string, name: string): string => {
  const copy = join(mkdtempSync(join(tmpdir(), 'vestal-drills-')), name)
  cpSync(example, copy, { recursive: true })
  return copy
}

/** Deploys `inventory/global`. Returns its inventory. */
export const bringUpShards = async (): Promise<string> => {
  const inventory = copyOf(GLOBAL, 'global')
  const file = join(inventory, 'group_vars/alertmanager.yml')
  const { alertmanager } = parse(readFileSync(file, 'utf8'))
  const { cluster, canary } = PACE
  writeFileSync(
    file,
    stringify({ alertmanager: { ...alertmanager, cluster: { ...alertmanager.cluster, ...cluster }, canary } }),
  )
  await onGlobal(['deploy', '-y', '--no-watch-alerts'], 0, inventory)
  await until(
    'everything serves',
    async () => JSON.parse((await onGlobal(['status', '--json'], 0, inventory)).stdout).healthy,
    120_000,
  )
  return inventory
}

/** Deploys `inventory/cortex`. Returns its inventory. */
export const bringUpRing = async (): Promise<string> => {
  await emptyStore()
  const inventory = copyOf(join(project, 'inventory/cortex'), 'cortex')
  const { cluster, canary } = PACE
  configure(inventory, { ...cluster, canary })
  await deploy(inventory)
  await on(inventory, ['tenants', 'sync'])
  return inventory
}
