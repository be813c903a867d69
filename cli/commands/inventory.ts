import Table from 'cli-table3'
import type { Argv } from 'yargs'
import { inventoryJson, inventoryOrigins } from '../../lib/inventory/json.ts'
import type { Host } from '../../lib/model.ts'
import { print } from '../../lib/report/print.ts'
import { command } from '../command.ts'
import { openContext } from '../context.ts'
import { type CommonFlags, commonOptions } from '../options.ts'

/**
 * Prints the inventory as Vestal understands it; `--json` in the shape of `ansible-inventory --list`, `--origin` with the place where
 * each variable was written. Touches no machine.
 */
const inventory = async (flags: CommonFlags & { readonly origin: boolean }): Promise<number> => {
  await using context = await openContext(flags)
  const { inventory: loaded } = context
  // Those of others too, where none were chosen.
  const hosts = flags.limit ? context.hosts : loaded.hosts
  const origins = flags.origin ? inventoryOrigins(loaded) : {}
  if (flags.json) print(JSON.stringify(flags.origin ? origins : inventoryJson(loaded), null, 2))
  else if (flags.origin) for (const { name } of hosts) printOrigins(name, origins[name] ?? {})
  else print(table(hosts))
  return 0
}

const printOrigins = (host: string, origins: Readonly<Record<string, string>>): void => {
  for (const [variable, place] of Object.entries(origins)) print(`${host} ${variable} ${place}`)
}

const table = (hosts: readonly Host[]): string => {
  const rows = new Table({ head: ['host', 'address', 'groups'], style: { head: [], border: [], compact: true } })
  for (const host of hosts) rows.push([host.name, host.address, host.groups.join(' ')])
  return rows.toString()
}

export default command({
  name: 'inventory',
  summary: 'Show hosts, groups and variables as they are understood',
  examples: ['vestal inventory -i inventory/ha --json'],
  options: (args: Argv) =>
    commonOptions(args).option('origin', {
      type: 'boolean',
      default: false,
      describe: 'Where each variable was written: file:line:column',
    }),
  run: inventory,
})
