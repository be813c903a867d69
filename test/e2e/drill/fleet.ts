/** The fleet of inventory/ha for drills: what is notified is over sooner, and two services have disks of their own to be filled. */
import { atConsole } from '../../../lib/lab/host.ts'
import { hostName } from '../../../lib/lab/places.ts'
import type { DrillReport, RunReport } from '../../../lib/model.ts'
import { ADDRESSES, ask, deploy, MEMBERS, type Member } from '../deploy/fleet.ts'
import { haWith } from '../deploy/inventories.ts'
import { testLab } from '../lab-setup.ts'
import { type Ended, onHost, reportOf, startVestal, type VestalOptions, vestal } from '../vestal.ts'

type Settings = Readonly<Record<string, unknown>>

/** A canary is sent each second, and looked at again every 15 seconds. */
export const PACE = { cluster: { peer_timeout: '2s' }, canary: { every: '1s', group_interval: '15s' } }

/** inventory/ha at that pace. */
export const drillInventory = (more: { readonly config?: Settings; readonly alertmanager?: Settings } = {}): string =>
  haWith({
    alertmanager: {
      alertmanager: {
        ...PACE,
        ...more.alertmanager,
        ...(more.config && { config: more.config }),
      },
    },
  })

const DISKS: Readonly<Partial<Record<Member, { readonly folder: string; readonly size: string }>>> = {
  'am-1': { folder: '/var/lib/alertmanager', size: '640m' },
  'prom-1': { folder: '/var/lib/prometheus', size: '640m' },
}
const onDisks = (script: (disk: { readonly folder: string; readonly size: string }) => string) =>
  Promise.all(Object.entries(DISKS).map(([name, disk]) => onHost(ADDRESSES[name as Member], 'sh -eu', script(disk))))

/** Deploys it, with its disks mounted. */
export const bringUp = async (inventory: string): Promise<void> => {
  await onDisks(
    ({ folder, size }) =>
      `mkdir -p ${folder}; mountpoint -q ${folder} || mount -t tmpfs -o size=${size} none ${folder}`,
  )
  await deploy('-i', inventory)
}

/** Takes the disks away, so that machines can be cleaned. */
export const takeDown = async (): Promise<void> => {
  await onDisks(
    ({ folder }) =>
      `systemctl stop alertmanager prometheus 2>/dev/null || :; ! mountpoint -q ${folder} || umount -l ${folder}`,
  )
}

const words = (inventory: string, ...more: readonly string[]): readonly string[] => [
  'drill',
  ...more,
  '-i',
  inventory,
  '--json',
  '--control',
  '10s',
]

/** Holds one drill to its end. */
export const drill = (inventory: string, name: string, ...flags: readonly string[]): Promise<Ended> =>
  vestal(words(inventory, name, ...flags))

/** Begins one. */
export const startDrill = (inventory: string, name: string, options: VestalOptions = {}) =>
  startVestal(words(inventory, name), options)

/** What a drill came to. Throws an Error with its words where it says nothing. */
export const drillOf = (ended: Ended): RunReport & { readonly drill: DrillReport } => {
  const report = reportOf(ended)
  if (!report.drill) throw new Error('the report says nothing of a drill')
  return { ...report, drill: report.drill }
}

/** What a drill could leave on its fleet, by machine; nothing where all is as it was. */
export const leftovers = (): Promise<readonly string[]> => leftoversBy((name) => onHost(ADDRESSES[name], 'sh', LOOK))

/** The same, asked at the machines' consoles: past the network. */
export const leftoversAtConsole = (): Promise<readonly string[]> =>
  leftoversBy((name) => atConsole(testLab, hostName(Number(ADDRESSES[name].split('.').at(-1)) - 10), `set +e\n${LOOK}`))

const LOOK = `ls /var/lib/vestal/drill 2>/dev/null
ls /etc/systemd/system /etc/systemd/system/timers.target.wants | grep vestal-drill
systemctl list-units --all --no-legend 'vestal-drill-*' 'vestal-crash-*' 'vestal-slow-*'
nft list tables | grep vestal_
find /etc/alertmanager /var/lib/alertmanager /var/lib/prometheus /var/lib/node_exporter -name '*vestal-drill*' 2>/dev/null
ps -eo stat,args | grep -E '^T.*(alertmanager|prometheus)' | grep -v grep
systemctl is-active prometheus alertmanager | grep -E 'failed|activating'
:`

const leftoversBy = async (ask: (name: Member) => Promise<string>): Promise<readonly string[]> => {
  const found = await Promise.all(MEMBERS.map(async (name) => [name, (await ask(name)).trim()] as const))
  return found.filter(([, left]) => left !== '').map(([name, left]) => `${name}: ${left}`)
}

/** How many members each Alertmanager sees. */
export const membersSeen = async (names: readonly Member[]): Promise<readonly number[]> =>
  Promise.all(
    names.map(async (name) => {
      const { cluster } = await ask<{ cluster: { peers: readonly unknown[] } }>(name, 9093, '/api/v2/status')
      return cluster.peers.length
    }),
  )
