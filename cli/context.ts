import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { oneLoginEach } from '../lib/connection/one-login.ts'
import { type Connect, connectionPool, type Pool } from '../lib/engine/pool.ts'
import { InputError } from '../lib/errors.ts'
import { loadInventory } from '../lib/inventory/load.ts'
import { selectHosts } from '../lib/inventory/select-hosts.ts'
import { enterLab } from '../lib/lab/enter.ts'
import type { Host, Inventory, Role } from '../lib/model.ts'
import { redactor } from '../lib/report/redact.ts'
import { mapStrings } from '../lib/values.ts'
import { rolesFor } from '../roles/registry.ts'
import type { CommonFlags } from './options.ts'

/** An inventory, the hosts of it that a command is about, and the way to them. */
export interface Opened {
  /** Names this command among all: its runs, one after the other, are one holder of locks. */
  readonly command: string
  readonly inventory: Inventory
  readonly hosts: readonly Host[]
  /** Connections of their own, for a run or a ledger, whose links are counted and made again apart: over the one login that a host has. */
  readonly connect: Connect
  /** The command's own connections. */
  readonly pool: Pool
  /** Takes the inventory's secrets out of a text. */
  redact(text: string): string
  /** The same out of every text in a value, which can then be shown or become JSON. */
  redacted<T>(value: T): T
}
/** All that a command works with. It ends with it: every login is closed. */
export interface Context extends Opened, AsyncDisposable {
  /** The same over an inventory that may not be written yet; default: the hosts of that inventory which were chosen here. */
  over(inventory: Inventory, hosts?: readonly Host[]): Opened
}

/**
 * Loads and checks the inventory, with every role there is (or those that are `known`) and those given beside, and chooses hosts by `--limit`;
 * connects to nothing yet.
 * Throws InputError with every mistake.
 */
export const openContext = async (
  flags: Pick<CommonFlags, 'inventory' | 'limit' | 'knownHosts' | 'privateKey' | 'acceptNewHostKeys'>,
  beside: readonly Role[] = [],
  known?: readonly Role[],
): Promise<Context> => {
  const roles = [...new Set([...(known ?? (await rolesFor(flags.inventory))), ...beside])]
  const inventory = await loadInventory(flags.inventory, roles)
  // A host without a role, which its variables give no way to, is somebody else's: it is gone to only where it was asked for.
  const hosts = flags.limit
    ? selectHosts(inventory, flags.limit)
    : inventory.hosts.filter(({ link }) => link.mistakes === undefined)
  const unreachable = hosts.flatMap(({ link }) => link.mistakes ?? [])
  if (unreachable.length > 0) throw new InputError(unreachable)
  const { knownHosts, privateKey, acceptNewHostKeys } = flags
  const logins = oneLoginEach({ knownHosts, privateKey, acceptNewHostKeys })
  const pool = connectionPool(logins.connect)
  const command = randomUUID()
  const opened = (of: Inventory, chosen: readonly Host[]): Opened => {
    let known: ((text: string) => string) | undefined
    const redact = (text: string): string => {
      known ??= redactor(of)
      return known(text)
    }
    return {
      command,
      inventory: of,
      hosts: chosen,
      connect: logins.connect,
      pool,
      redact,
      redacted: (value) => mapStrings(value, redact),
    }
  }
  const names = new Set(hosts.map(({ name }) => name))
  return {
    ...opened(inventory, hosts),
    over: (other, chosen) => opened(other, chosen ?? other.hosts.filter(({ name }) => names.has(name))),
    [Symbol.asyncDispose]: () => logins[Symbol.asyncDispose](),
  }
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
  process.on('SIGINT', ignore).on('SIGTERM', forward).on('SIGHUP', forward)
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)))
  })
}
