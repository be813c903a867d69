/** A fleet to be operated on: two Prometheus and three Alertmanagers of any version, and what its members say. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunEvent } from '../../../lib/engine/events.ts'
import { ADDRESSES, ALERTMANAGERS, deploy, hostsOf, REPLICAS } from '../deploy/fleet.ts'
import { inventoryOf } from '../deploy/inventories.ts'
import { type Ended, onHost, resetHost } from '../vestal.ts'

export type Settings = Readonly<Record<string, unknown>>
export interface Generation {
  readonly prometheus: string
  readonly alertmanager: string
}
export const OLDEST: Generation = { prometheus: '2.42.0', alertmanager: '0.25.0' }
export const MIDDLE: Generation = { prometheus: '2.53.3', alertmanager: '0.28.1' }
export const NEWEST: Generation = { prometheus: '3.5.3', alertmanager: '0.33.1' }

export const MEMBERS = [...REPLICAS, ...ALERTMANAGERS]

/** An inventory of the fleet: a folder of its own, whose versions a roll will write anew. */
export const fleetInventory = (
  { prometheus, alertmanager }: Generation,
  { all = {}, extra = {} }: { readonly all?: Settings; readonly extra?: Settings } = {},
): string => {
  return inventoryOf({
    'hosts.yml': {
      all: {
        children: {
          prometheus: { hosts: hostsOf(REPLICAS) },
          alertmanager: { hosts: hostsOf(ALERTMANAGERS) },
          node_exporter: { children: { prometheus: null, alertmanager: null } },
        },
      },
    },
    'group_vars/all/versions.yml': { node_exporter: { version: '1.11.1' }, ...all },
    'group_vars/prometheus.yml': {
      prometheus: {
        version: prometheus,
        cluster: 'lab',
        scrape_interval: '5s',
        evaluation_interval: '5s',
        resend_delay: '10s',
      },
      rules: { self_monitoring: false, folders: ['rules'] },
    },
    'rules/own.yml': { groups: [{ name: 'own', rules: [{ alert: 'AlwaysButSilenced', expr: 'vector(1)' }] }] },
    'group_vars/alertmanager.yml': {
      alertmanager: {
        version: alertmanager,
        cluster: { peer_timeout: '5s' },
        config: {
          route: {
            receiver: 'webhook',
            group_by: ['alertname', 'instance'],
            group_wait: '1s',
            group_interval: '30s',
            repeat_interval: '4h',
            routes: [{ matchers: ['alertname = Watchdog'], receiver: 'nobody' }],
          },
          receivers: [
            { name: 'webhook', webhook_configs: [{ url: 'http://10.88.0.1:9095/alerts' }] },
            { name: 'nobody' },
          ],
        },
        ...extra,
      },
    },
  })
}

/** Brings the fleet to this inventory. What a newer version has stored an older one may not read, so it starts from nothing where `fresh`. */
export const standing = async (inventory: string): Promise<void> => {
  await Promise.all(MEMBERS.map((name) => resetHost(ADDRESSES[name])))
  await deploy('-i', inventory)
}

/** The process of each member's service, and when it was started: another one says that somebody touched it. */
export const processes = async (): Promise<Readonly<Record<string, string>>> => {
  const one = async (name: keyof typeof ADDRESSES): Promise<[string, string]> => {
    const service = name.startsWith('am') ? 'alertmanager' : 'prometheus'
    const asked = `systemctl show --property=MainPID,InvocationID,ActiveState --value ${service} | tr '\\n' ' '; readlink /proc/$(systemctl show -P MainPID ${service})/exe`
    return [name, (await onHost(ADDRESSES[name], asked)).trim()]
  }
  return Object.fromEntries(await Promise.all(MEMBERS.map(one)))
}

/** The versions that run, by member. */
export const running = async (): Promise<Readonly<Record<string, string>>> =>
  Object.fromEntries(Object.entries(await processes()).map(([name, said]) => [name, said.split('/').at(-2) ?? '']))

/** The batches that interrupted something, in order. */
export const interruptions = (events: readonly RunEvent[]): readonly (readonly string[])[] =>
  events.flatMap((event) => (event.event === 'batch-started' && event.interrupts ? [event.hosts] : []))

/** A version that an inventory's files hold. */
export const versionIn = (inventory: string, program: string): string | undefined =>
  /version: "?([\d.]+)/.exec(readFileSync(join(inventory, 'group_vars', `${program}.yml`), 'utf8'))?.[1]

/** What a run came to, for a message. */
export const told = ({ code, stdout, stderr }: Ended): string => `${code}\n${stdout}${stderr}`
