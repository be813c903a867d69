import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { loadInventory } from '../../../lib/inventory/load.ts'
import type { FileData } from '../../../lib/kinds/file.ts'
import type { ServiceData } from '../../../lib/kinds/service.ts'
import type { UnitData } from '../../../lib/kinds/unit.ts'
import { type Gate, type Host, type Inventory, type Role, type Task, taskId } from '../../../lib/model.ts'
import { rolesOf, scopeOf } from '../../../lib/playbook.ts'
import deploy from '../../../playbooks/deploy.ts'

export const roles = rolesOf(deploy)

/** An inventory of these files (name to text), and what the roles make of it. */
export interface Fleet extends Disposable {
  readonly inventory: Inventory
  host(name: string): Host
  tasks(role: string, host: string): readonly Task[]
  task(role: string, host: string, id: string): Task
  fileData(role: string, host: string, path: string): FileData
  gates(role: string, host: string): readonly Gate[]
  /** What a file is made of; secrets show as "[secret]". */
  text(role: string, host: string, path: string): string
  /** The argument list of a host's service. */
  command(role: string, host: string): readonly string[]
  unitText(role: string, host: string): string
}

export const fleet = async (files: Readonly<Record<string, string>>, env?: NodeJS.ProcessEnv): Promise<Fleet> => {
  const folder = mkdtempSync(join(tmpdir(), 'vestal-fleet-'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  const remove = () => rmSync(folder, { recursive: true })
  try {
    const inventory = await loadInventory([folder], roles, { env })
    return { ...fleetOf(inventory), [Symbol.dispose]: remove }
  } catch (error) {
    remove()
    throw error
  }
}

export const fleetOf = (inventory: Inventory): Omit<Fleet, typeof Symbol.dispose> => {
  const host = (name: string): Host => found(inventory.hosts, (one) => one.name === name, name)
  const roleOf = (name: string): Role => found(inventory.roles, (one) => one.name === name, name)
  const tasks = (role: string, name: string) => roleOf(role).tasks(scopeOf(roleOf(role), host(name), inventory))
  const data = <D>(role: string, name: string, id: string) =>
    found(tasks(role, name), (task) => taskId(task) === id, id).data as D
  return {
    inventory,
    host,
    tasks,
    task: (role, name, id) => found(tasks(role, name), (task) => taskId(task) === id, id),
    fileData: (role, name, path) => data<FileData>(role, name, `file ${path}`),
    gates: (role, name) => roleOf(role).healthy(scopeOf(roleOf(role), host(name), inventory)),
    text: (role, name, path) => String(data<FileData>(role, name, `file ${path}`).content),
    command: (role, name) => data<ServiceData>(role, name, `service ${role}`).command,
    unitText: (role, name) => data<UnitData>(role, name, `unit ${role}.service`).text,
  }
}

const found = <T>(items: readonly T[], wanted: (item: T) => boolean, what: string): T => {
  const item = items.find(wanted)
  if (item === undefined) throw new Error(`there is no ${what}`)
  return item
}

/** An inventory file with these hosts in these groups and these variables of all. */
export const hostsFile = (
  groups: Readonly<Record<string, Readonly<Record<string, object>>>>,
  vars: Readonly<Record<string, unknown>>,
): string =>
  JSON.stringify({
    all: {
      vars: { node_exporter: { version: '1.11.1' }, ...vars },
      children: Object.fromEntries(Object.entries(groups).map(([group, hosts]) => [group, { hosts }])),
    },
  })

export const route = { route: { receiver: 'team' }, receivers: [{ name: 'team' }] }
