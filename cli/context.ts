import { spawn } from 'node:child_process'
import { InputError } from '../lib/errors.ts'
import { loadInventory } from '../lib/inventory/load.ts'
import { selectHosts } from '../lib/inventory/select-hosts.ts'
import { enterLab } from '../lib/lab/enter.ts'
import type { Host, Inventory, Role } from '../lib/model.ts'
import { rolesFor } from '../roles/registry.ts'
import type { CommonFlags } from './options.ts'

export interface OpenInventory {
  readonly inventory: Inventory
  readonly hosts: readonly Host[]
}

/**
 * Loads and checks the inventory, with every role there is and those given beside, and chooses hosts by `--limit`. Throws InputError with
 * every mistake.
 */
export const openInventory = async (
  flags: Pick<CommonFlags, 'inventory' | 'limit'>,
  beside: readonly Role[] = [],
): Promise<OpenInventory> => {
  const roles = [...new Set([...(await rolesFor(flags.inventory)), ...beside])]
  const inventory = await loadInventory(flags.inventory, roles)
  return { inventory, hosts: flags.limit ? selectHosts(inventory, flags.limit) : inventory.hosts }
}

/**
 * Where the hosts live in a lab, runs this very command again inside the lab's network and returns its exit code;
 * null when there is no lab or this process is inside already.
 */
export const inLab = async (hosts: readonly Host[]): Promise<number | null> => {
  const labs = [...new Set(hosts.map(({ machine }) => machine.lab))]
  if (labs.length > 1) {
    throw new InputError([
      {
        where: 'inventory',
        what: `its hosts live in different networks (${labs.map((lab) => lab ?? 'no lab').join(', ')})`,
        fix: 'Choose the hosts of one with --limit.',
      },
    ])
  }
  const lab = labs[0]
  if (!lab) return null
  const prefix = enterLab(process.env.VESTAL_LAB ?? lab)
  return prefix && again(prefix)
}

/** The inner process dies with this one, however this one ends, so that nothing works on unseen. */
const again = (prefix: readonly string[]): Promise<number> => {
  const argv = ['--pdeathsig', 'KILL', ...prefix, process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const child = spawn('setpriv', argv, { stdio: 'inherit' })
  const ignore = (): void => undefined
  const forward = (): void => void child.kill('SIGTERM')
  process.on('SIGINT', ignore).on('SIGTERM', forward)
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)))
  })
}
