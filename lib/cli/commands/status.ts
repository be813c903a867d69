import Table from 'cli-table3'
import deploy from '../../../playbooks/deploy.ts'
import { askGates } from '../../engine/gates.ts'
import { connectionPool } from '../../engine/pool.ts'
import type { Gate, GateReport, Host, Inventory } from '../../model.ts'
import { rolesOf, scopeOf } from '../../playbook.ts'
import { paint } from '../../report/text.ts'
import { connecting } from '../connecting.ts'
import { inLab, openInventory } from '../open-inventory.ts'
import type { CommonFlags } from '../options.ts'

/** Asks each service's own gates once. Exit code 1 where one says no or a host cannot be reached. */
export const status = async (flags: CommonFlags): Promise<number> => {
  const { inventory, hosts } = await openInventory(flags, rolesOf(deploy))
  const inside = await inLab(hosts)
  if (inside !== null) return inside
  await using pool = connectionPool(connecting(flags))
  const asked = hosts.flatMap((host) => questions(host, inventory))
  const reports = await Promise.all(
    asked.map(async ({ host, role, gates }) => {
      const answers = await askGates(gates, { play: 'status', reach: pool.reach, emit: () => undefined })
      return { host: host.name, role, answers }
    }),
  )
  const rows = reports.map(({ host, role, answers }) => ({
    instance: host,
    role,
    healthy: answers.every(({ pass }) => pass),
    failing: answers.filter(({ pass }) => !pass).map(whyNot),
  }))
  process.stdout.write(
    `${flags.json ? JSON.stringify({ vestal: 'status/1', inventory: inventory.name, instances: rows }, null, 2) : table(rows)}\n`,
  )
  return rows.every(({ healthy }) => healthy) ? 0 : 1
}

interface Row {
  readonly instance: string
  readonly role: string
  readonly healthy: boolean
  readonly failing: readonly string[]
}

const questions = (host: Host, inventory: Inventory) =>
  [...new Set(deploy.plays.filter((play) => play.hosts(host)).flatMap((play) => play.roles))]
    .filter((role) => role.group === undefined || host.groups.includes(role.group))
    .map((role) => ({ host, role: role.name, gates: role.healthy(scopeOf(role, host, inventory)).map(once) }))
    .filter(({ gates }) => gates.length > 0)

/** A status is a look, not a wait. */
const once = (gate: Gate): Gate => ({ ...gate, within: '0s' })

const whyNot = ({ name, why }: GateReport): string => `${name}: ${why}`

const table = (rows: readonly Row[]): string => {
  const grid = new Table({
    head: ['instance', 'role', 'state', 'why'],
    style: { head: [], border: [], compact: true },
    wordWrap: true,
  })
  for (const { instance, role, healthy, failing } of rows) {
    grid.push([instance, role, healthy ? paint('green', 'healthy') : paint('red', 'unhealthy'), failing.join('\n')])
  }
  return grid.toString()
}
