/**
 * One fleet over every generation of Debian that the lab can make, and a processor that is emulated: deployed, rolled under canary alerts and rolled back.
 * The systems are those of systems.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import type { FleetStatus } from '../../../lib/health/types.ts'
import { powerOff, powerOn } from '../../../lib/lab/faults.ts'
import { clearNotifications, labNotifications } from '../../../lib/lab/receiver.ts'
import { staticMirror } from '../../machines/tools.ts'
import { ADDRESSES, deploy, MEMBERS, type Member } from '../deploy/fleet.ts'
import { writeFiles } from '../deploy/inventories.ts'
import { fleetInventory, interruptions, MIDDLE, OLDEST, told } from '../operate/fleet.ts'
import { onHost, reportOf, vestal } from '../vestal.ts'

/** What each machine is, as it says itself. The newest systemd moves on. */
const MACHINES: Readonly<Record<Member, { readonly os: string; readonly arch: string; readonly systemd: number }>> = {
  'prom-1': { os: 'debian forky', arch: 'amd64', systemd: expect.toSatisfy((one: number) => one >= 262) },
  'prom-2': { os: 'debian 13', arch: 'arm64', systemd: 257 },
  'am-1': { os: 'debian 11', arch: 'amd64', systemd: 247 },
  'am-2': { os: 'debian 12', arch: 'amd64', systemd: 252 },
  'am-3': { os: 'debian 13', arch: 'amd64', systemd: 257 },
  'node-1': { os: 'debian forky', arch: 'amd64', systemd: expect.toSatisfy((one: number) => one >= 261) },
}
const SERVICES: Readonly<Record<Member, readonly string[]>> = {
  'prom-1': ['prometheus', 'node_exporter'],
  'prom-2': ['prometheus', 'node_exporter'],
  'am-1': ['alertmanager', 'node_exporter'],
  'am-2': ['alertmanager', 'node_exporter'],
  'am-3': ['alertmanager', 'node_exporter'],
  'node-1': ['node_exporter'],
}
/** `e_machine` of an ELF file's header, as elf(5) and Linux' elf-em.h number processors. */
const ELF: Readonly<Record<string, string>> = { amd64: '62', arm64: '183' }
/** The second and third Alertmanager wait for the one before; whatever comes twice has come by then. */
const SETTLE_MS = 15_000

interface Versions {
  readonly prometheus: string
  readonly alertmanager: string
  readonly node_exporter: string
}
const BEFORE: Versions = { ...OLDEST, node_exporter: '1.9.0' }
const AFTER: Versions = { ...MIDDLE, node_exporter: '1.11.1' }

const inventory = fleetInventory(OLDEST, { all: { node_exporter: { version: BEFORE.node_exporter } } })
writeFiles(inventory, {
  'watched.yml': {
    all: {
      children: {
        node_exporter: { children: { watched: { hosts: { 'node-1': { ansible_host: ADDRESSES['node-1'] } } } } },
      },
    },
  },
  // Debian's own builds want a newer C library than the oldest has.
  'group_vars/all/releases.yml': { vestal: { releases: `file:${staticMirror()}` } },
  'host_vars/prom-2.yml': { vestal: { arch: 'arm64', releases: `file:${inject('lab').mirror}` } },
  // An alert of each machine's own, with what the machine says it is. An emulated one may take longer to answer than the interval of scrapes.
  'rules/own.yml': {
    groups: [{ name: 'own', rules: [{ alert: 'Machine', expr: 'last_over_time(node_uname_info[15m])' }] }],
  },
})

/** What was notified of each machine, in the order it came. */
const ledger = (): Readonly<Record<string, readonly string[]>> => {
  const alerts = labNotifications(inject('lab').name).flatMap(({ body }) => (body as Message).alerts ?? [])
  const own = alerts.filter(({ labels }) => labels.alertname === 'Machine')
  const byMachine = Map.groupBy(own, ({ labels }) => `${labels.nodename} ${labels.machine}`)
  return Object.fromEntries([...byMachine].map(([name, all]) => [name, all.map(({ status }) => status)]))
}
interface Message {
  readonly alerts?: readonly { readonly status: string; readonly labels: Readonly<Record<string, string>> }[]
}
/** Every machine told of once. */
const ONCE: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  MEMBERS.map((name) => [
    `lab-${Number(ADDRESSES[name].split('.').at(-1)) - 10} ${MACHINES[name].arch === 'arm64' ? 'aarch64' : 'x86_64'}`,
    ['firing'],
  ]),
)

const statusOf = async (): Promise<FleetStatus> =>
  JSON.parse((await vestal(['status', '-i', inventory, '--json'])).stdout)
/** The versions that run, by role. More than one where they differ. */
const running = async (): Promise<Readonly<Record<string, readonly string[]>>> => {
  const { instances } = await statusOf()
  const byRole = Map.groupBy(instances, ({ role }) => role)
  return Object.fromEntries(
    [...byRole].map(([role, all]) => [
      role,
      [...new Set(all.map(({ version }) => `${version?.running}`.replace(/\+.*/, '')))],
    ]),
  )
}
const all = ({ prometheus, alertmanager, node_exporter }: Versions): Readonly<Record<string, readonly string[]>> => ({
  prometheus: [prometheus],
  alertmanager: [alertmanager],
  node_exporter: [node_exporter],
})
const nothingToChange = async (): Promise<void> => {
  const plan = await vestal(['plan', '-i', inventory, '--exit-code'])
  expect(plan.code, told(plan)).toBe(0)
}

let rolled = ''

beforeAll(() => {
  clearNotifications(inject('lab').name)
})

describe('a fleet of five generations of Debian and two processors', () => {
  test('is deployed, and then there is nothing to change', async () => {
    await deploy('-i', inventory)
    await nothingToChange()
  })

  test('is healthy, and each machine is what it is', async () => {
    const { healthy, hosts, notes } = await statusOf()
    expect({ healthy, notes }).toEqual({ healthy: true, notes: [] })
    for (const name of MEMBERS) expect({ name, ...hosts[name]?.facts }).toMatchObject({ name, ...MACHINES[name] })
    expect(await running()).toEqual(all(BEFORE))
  })

  test('runs programs for the processor of each machine', async () => {
    for (const name of MEMBERS)
      for (const service of SERVICES[name]) {
        const number = await onHost(ADDRESSES[name], `od -An -tu2 -j18 -N2 /usr/local/bin/${service}`)
        expect({ name, service, number: number.trim() }).toEqual({ name, service, number: ELF[MACHINES[name].arch] })
      }
  })

  test.each(MEMBERS)(
    'has units on %s of which its systemd passes over nothing but what it can’t know yet',
    async (name) => {
      const units = SERVICES[name].map((service) => `/etc/systemd/system/${service}.service`).join(' ')
      const said = await onHost(ADDRESSES[name], `systemd-analyze verify ${units} 2>&1 || true`)
      const lines = said.split('\n').filter((line) => /vestal|prometheus|alertmanager|node_exporter/.test(line))
      const unknown = lines.filter(
        (line) => !(MACHINES[name].systemd === 247 && /'(PrivateIPC|NoExecPaths)'/.test(line)),
      )
      expect(unknown).toEqual([])
    },
  )

  test('tells of every machine once', async () => {
    await expect.poll(ledger, { timeout: 180_000, interval: 1_000 }).toEqual(ONCE)
    await sleep(SETTLE_MS)
    expect(ledger()).toEqual(ONCE)
  })
})

describe('the same fleet under canary alerts', () => {
  test('is rolled to later versions, one machine at a time', async () => {
    const versions = Object.entries(AFTER).flatMap(([role, version]) => [`--${role.replace('_', '-')}`, version])
    const ended = await vestal(['rolling-upgrade', '-i', inventory, '--json', '-y', ...versions])
    expect(ended.code, told(ended).slice(-4_000)).toBe(0)
    const { run, alerts, ms } = reportOf(ended)
    rolled = run
    console.log(JSON.stringify({ alerts, ms }))
    expect(alerts).toMatchObject({ lost: 0, duplicated: 0, unresolved: 0 })
    expect(alerts?.sent).toBeGreaterThan(10)
    for (const hosts of interruptions(ended.events).filter((hosts) => hosts.some((host) => host.startsWith('am-'))))
      expect(hosts).toHaveLength(1)
    expect(await running()).toEqual(all(AFTER))
    await nothingToChange()
    expect((await statusOf()).healthy).toBe(true)
  })

  test('is rolled back whole', async () => {
    const ended = await vestal(['rollback', '-i', inventory, '--run', rolled, '--json', '-y'])
    expect(ended.code, told(ended).slice(-4_000)).toBe(0)
    const { alerts, ms } = reportOf(ended)
    console.log(JSON.stringify({ alerts, ms }))
    expect(alerts).toMatchObject({ lost: 0, duplicated: 0, unresolved: 0 })
    expect(await running()).toEqual(all(BEFORE))
    await nothingToChange()
    expect((await statusOf()).healthy).toBe(true)
  })

  test('has told of every machine once, from its first deploy on', async () => {
    await sleep(SETTLE_MS)
    expect(ledger()).toEqual(ONCE)
  })
})

describe('a machine of it that is switched off and on', () => {
  test.each(['am-1', 'prom-1'] as const)('%s serves again', async (name) => {
    const { name: lab, hosts } = inject('lab')
    const host = hosts.find(({ address }) => address === ADDRESSES[name])?.name ?? ''
    await powerOff(host, lab)
    await powerOn(host, lab)
    await expect.poll(async () => (await statusOf()).healthy, { timeout: 180_000, interval: 2_000 }).toBe(true)
    await nothingToChange()
  })
})
