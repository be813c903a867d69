/** A small fleet written down as an inventory: `monitor` runs everything, `node` is only watched. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { inject } from 'vitest'
import type { LabHost } from '../../../lib/lab/lab.ts'

type Vars = Readonly<Record<string, unknown>>
export interface Fleet {
  readonly monitor: LabHost
  readonly node: LabHost
}
export interface FleetOptions {
  /** Variables of all hosts, merged into the usual ones level by level; undefined takes one away. */
  readonly all?: Vars
  readonly monitor?: Vars
  readonly node?: Vars
  /** Files beside hosts.yml, by their path below it. */
  readonly files?: Readonly<Record<string, string>>
}

/** The n-th pair of lab hosts as a fleet. */
export const fleetOf = (n: number): Fleet => {
  const [monitor, node] = inject('lab').hosts.slice(2 * n, 2 * n + 2)
  if (!monitor || !node) throw new Error(`the lab has too few hosts for fleet ${n}`)
  return { monitor, node }
}

/** Writes the fleet's inventory into a new folder, or the given one, and returns the folder. It goes when the tests end. */
export const inventoryOf = (
  { monitor, node }: Fleet,
  { all = {}, files = {}, ...more }: FleetOptions = {},
  folder = mkdtempSync(join(root, 'inventory-')),
): string => {
  const hosts = {
    monitor: { ansible_host: monitor.address, ...more.monitor },
    node: { ansible_host: node.address, ...more.node },
  }
  const children = {
    prometheus: { hosts: { monitor: null } },
    alertmanager: { hosts: { monitor: null } },
    node_exporter: { hosts: { monitor: null, node: null } },
  }
  write(folder, 'hosts.yml', JSON.stringify({ all: { vars: merged(usual(), all), hosts, children } }, null, 2))
  for (const [path, text] of Object.entries(files)) write(folder, path, text)
  return folder
}

/** A folder for one thing that the tests need; it goes when they end. */
export const scratch = (name: string): string => mkdtempSync(join(root, `${name}-`))

const root = mkdtempSync(join(tmpdir(), 'vestal-fleet-'))
process.once('exit', () => rmSync(root, { recursive: true, force: true }))

/** What every fleet of these tests has: the oldest generation, which is the smallest, at a pace that lets gates pass soon. */
const usual = (): Vars => {
  const lab = inject('lab')
  return {
    ansible_user: 'root',
    ansible_ssh_private_key_file: lab.key,
    ansible_ssh_common_args: `-o UserKnownHostsFile=${lab.knownHosts}`,
    vestal: { lab: lab.name, releases: `file:${lab.mirror}` },
    node_exporter: { version: '1.5.0' },
    prometheus: { version: '2.42.0', cluster: 'first', scrape_interval: '1s', evaluation_interval: '1s' },
    rules: { self_monitoring: false },
    alertmanager: { version: '0.25.0', config: { route: { receiver: 'first' }, receivers: [{ name: 'first' }] } },
  }
}

const write = (folder: string, path: string, text: string): void => {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

const merged = (one: Vars, other: Vars): Vars =>
  Object.fromEntries(
    [...new Set([...Object.keys(one), ...Object.keys(other)])].map((name) => {
      const [was, is] = [one[name], other[name]]
      if (isVars(was) && isVars(is)) return [name, merged(was, is)]
      return [name, name in other ? is : was]
    }),
  )

const isVars = (value: unknown): value is Vars => typeof value === 'object' && value !== null && !Array.isArray(value)
