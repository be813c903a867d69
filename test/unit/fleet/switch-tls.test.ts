/** Which plays turn TLS on and off on a fleet that serves, and what each Prometheus is told by then. The fleet answers from memory. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { gossipSwitch } from '../../../fleet/certificates/gossip.ts'
import { switchingTls } from '../../../fleet/certificates/switch.ts'
import { makeAuthority } from '../../../lib/certificates/authority.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
import type { FileData } from '../../../lib/kinds/file.ts'
import { type Connection, type Inventory, type Playbook, type Reach, taskId } from '../../../lib/model.ts'
import { scopeOf } from '../../../lib/playbook.ts'
import { deployOf } from '../../../playbooks/deploy.ts'
import { DAY_MS, place } from '../certificates/authorities.ts'
import { hostsFile, roles } from '../roles/fleet.ts'

const at = place()
const HOSTS = {
  prometheus: { 'prom-1': { ansible_host: '10.0.0.1' }, 'prom-2': { ansible_host: '10.0.0.2' } },
  alertmanager: { 'am-1': { ansible_host: '10.0.0.3' }, 'am-2': { ansible_host: '10.0.0.4' } },
  node_exporter: Object.fromEntries(
    [1, 2, 3, 4, 5, 6, 7, 8].map((number) => [
      ['prom-1', 'prom-2', 'am-1', 'am-2'][number - 1] ?? `node-${number - 4}`,
      number > 4 ? { ansible_host: `10.0.1.${number}` } : {},
    ]),
  ),
}
const load = (tls: unknown, hosts: Parameters<typeof hostsFile>[0] = HOSTS): Promise<Inventory> => {
  const vars = {
    prometheus: { version: '3.5.3', ...('cortex_alertmanager' in hosts && { tenants: ['checkout'] }) },
    cortex_alertmanager: { version: '1.21.1', storage: { backend: 'filesystem', dir: '/srv/ring' } },
    ...{ thanos_sidecar: { version: '0.42.4' }, thanos_query: { version: '0.42.4' }, gateway: {} },
    thanos_rule: { version: '0.42.4' },
    alertmanager: { version: '0.33.1', config: { route: { receiver: 'none' }, receivers: [{ name: 'none' }] } },
    ...(tls !== undefined && { tls }),
  }
  writeFileSync(join(at.folder, 'hosts.yml'), hostsFile(hosts, vars))
  return loadInventory([at.folder], roles)
}
beforeAll(async () => void (await makeAuthority(at, { ms: 100 * DAY_MS, env: at.env })))
afterAll(() => at[Symbol.dispose]())

/** A fleet each of whose ports speaks as it is said, and whose members gossip so; others don't answer. */
const speaking =
  (
    says: (host: string, port: number) => 'tls' | 'plain',
    gossips: (host: string) => 'tls' | 'plain' | '' = () => 'plain',
  ): Reach =>
  (host) =>
    Promise.resolve({
      exec: () => Promise.resolve({ code: 0, stdout: Buffer.from(`${gossips(host.name)}\n`), stderr: '' }),
      request: ({ port }: { port: number }) =>
        Promise.resolve({
          status: 200,
          headers: {},
          body: '',
          ...(says(host.name, port) === 'tls' && { certificate: { until: '' } }),
        }),
    } as unknown as Connection)
const plain = speaking(() => 'plain')
const secure = speaking(() => 'tls')

const bookOf = (
  inventory: Inventory,
  reach: Reach,
  hosts = inventory.hosts,
  tags?: readonly string[],
): Promise<Playbook> => switchingTls(deployOf(roles), inventory, { hosts, reach, tags })

/** The text of a Prometheus' file as a play would have it. */
const told = (book: Playbook, inventory: Inventory, which: number, path: string, on = 'prom-1'): string => {
  const host = inventory.hosts.find(({ name }) => name === on)
  const role = book.plays[which]?.roles.find(({ key }) => key === 'prometheus')
  if (!host || !role) throw new Error('no such host or role')
  const task = role.tasks(scopeOf(role, host, inventory)).find(({ key }) => key === path)
  return String((task?.data as FileData | undefined)?.content)
}
const TARGETS = '/etc/prometheus/file_sd'
const CONFIG = '/etc/prometheus/prometheus.yml'
const senders = (config: string): readonly string[] => {
  const part = config.slice(config.indexOf('alertmanagers:'), config.indexOf('scrape_configs:'))
  return part
    .split('- api_version')
    .slice(1)
    .map((entry) => `${entry.includes('scheme: https') ? 'https' : 'http'} ${entry.match(/10\.[\d.:]+/g)}`)
}
const named = ({ plays }: Playbook, inventory: Inventory) =>
  plays.map(({ name, hosts }) => `${name}: ${inventory.hosts.filter(hosts).map((host) => host.name)}`)

describe('turned on', () => {
  test('where all serve without: senders first, then a few at a time, each followed by the files of targets', async () => {
    const inventory = await load(true)
    const book = await bookOf(inventory, plain)
    const follow = 'Every Prometheus scrapes them as they are now: prom-1,prom-2'
    expect(named(book, inventory)).toEqual([
      'Every Prometheus sends with TLS and without: prom-1,prom-2',
      'Alertmanagers, one at a time: TLS, 1 of 2: am-1',
      follow,
      'Alertmanagers, one at a time: TLS, 2 of 2: am-2',
      follow,
      expect.stringMatching(/^Cortex.*: $/),
      'Prometheus, never two replicas of a shard: TLS, 1 of 2: prom-1',
      follow,
      'Prometheus, never two replicas of a shard: TLS, 2 of 2: prom-2',
      follow,
      ...Array.from({ length: 4 }, () => expect.stringMatching(/: $/)),
      'Other machines: TLS, 1 of 4: node-1',
      follow,
      'Other machines: TLS, 2 of 4: node-2',
      follow,
      'Other machines: TLS, 3 of 4: node-3',
      follow,
      'Other machines: TLS, 4 of 4: node-4',
      follow,
      'Every Prometheus sends in the new way only: prom-1,prom-2',
    ])
  })

  test('both ways are known before the first Alertmanager changes, and one at the end', async () => {
    const inventory = await load(true)
    const book = await bookOf(inventory, plain)
    expect(senders(told(book, inventory, 0, CONFIG))).toEqual([
      'http 10.0.0.3:9093,10.0.0.4:9093',
      'https 10.0.0.3:9093,10.0.0.4:9093',
    ])
    expect(senders(told(book, inventory, book.plays.length - 1, CONFIG))).toEqual(['https 10.0.0.3:9093,10.0.0.4:9093'])
  })

  test('files of targets say https of those that have changed, and the job trusts the authority from the beginning', async () => {
    const inventory = await load(true)
    const book = await bookOf(inventory, plain)
    const targets = `${TARGETS}/alertmanager.yml`
    const secured = (which: number) => told(book, inventory, which, targets).match(/__scheme__/g)?.length ?? 0
    expect([0, 2, 4].map(secured)).toEqual([0, 1, 2])
    expect(told(book, inventory, 0, CONFIG)).toContain('ca_file: /etc/vestal/authority.crt')
    expect(told(book, inventory, book.plays.length - 1, targets)).toBe(told(book, inventory, 4, targets))
  })

  test('interrupted, it goes on from what each speaks', async () => {
    const inventory = await load(true)
    const book = await bookOf(
      inventory,
      speaking((host) => (host === 'am-1' ? 'tls' : 'plain')),
    )
    expect(senders(told(book, inventory, 0, CONFIG))).toEqual([
      'https 10.0.0.3:9093,10.0.0.4:9093',
      'http 10.0.0.4:9093',
    ])
    expect(named(book, inventory)[1]).toBe('Alertmanagers, one at a time: am-1,am-2')
    expect(named(book, inventory).filter((name) => name.startsWith('Alertmanagers'))).toHaveLength(1)
  })

  test('a fleet that serves as it should, or does not serve yet, has the plays of any deploy', async () => {
    const inventory = await load(true)
    const usual = deployOf(roles).plays.map(({ name }) => name)
    expect((await bookOf(inventory, secure)).plays.map(({ name }) => name)).toEqual(usual)
  })

  test('takes the whole fleet', async () => {
    const inventory = await load(true)
    const some = inventory.hosts.filter(({ name }) => name !== 'prom-2')
    await expect(bookOf(inventory, plain, some)).rejects.toThrow('prom-2, which asks there, would not know')
    await expect(bookOf(inventory, plain, inventory.hosts, ['alertmanager'])).rejects.toThrow('takes tasks of several')
  })
})

describe('turned off', () => {
  test.each([
    ['with tls: false', false],
    ['with the setting taken away', undefined],
  ])('%s: the same, the other way round', async (_, tls) => {
    const inventory = await load(tls)
    const book = await bookOf(inventory, secure)
    expect(senders(told(book, inventory, 0, CONFIG))).toEqual([
      'https 10.0.0.3:9093,10.0.0.4:9093',
      'http 10.0.0.3:9093,10.0.0.4:9093',
    ])
    const last = told(book, inventory, book.plays.length - 1, CONFIG)
    expect(senders(last)).toEqual(['http 10.0.0.3:9093,10.0.0.4:9093'])
    expect(last).not.toContain('tls_config')
    // As long as one still has TLS, its certificate is verified.
    expect(told(book, inventory, book.plays.length - 4, `${TARGETS}/node.yml`)).toContain('__scheme__')
  })
})

describe('those that ask in the place of others', () => {
  const GLOBAL = {
    ...HOSTS,
    thanos_sidecar: { 'prom-1': {}, 'prom-2': {} },
    thanos_query: { 'q-1': { ansible_host: '10.0.0.21' } },
    gateway: { 'gw-1': { ansible_host: '10.0.0.22' } },
  }
  const textsOf = (book: Playbook, inventory: Inventory, [on, key, path]: readonly [string, string, string]) =>
    book.plays.flatMap(({ name, hosts, roles: some }) => {
      const host = inventory.hosts.find((one) => one.name === on)
      const role = some.find((one) => one.key === key)
      if (!host || !role || !hosts(host)) return []
      const task = role.tasks(scopeOf(role, host, inventory)).find((one) => one.key === path)
      const lines = String((task?.data as FileData | undefined)?.content).split('\n')
      const servers = lines.filter((line) => /^ +server prom-1(\.otherwise)? |address: .*10\.0\.0\.1:/.test(line))
      return [[name.replace(/: TLS.*/, ''), servers.map((line) => (/ ssl | dns:/.test(line) ? 'tls' : 'plain'))]]
    })

  test('gateways and relays know both ways before the first one changes, and until the last one has', async () => {
    const gateways = { 'gw-1': { ansible_host: '10.0.0.22', gateway: { certificate: 'fleet' } } }
    const inventory = await load({ plain: ['gateway'] }, { ...GLOBAL, gateway: gateways })
    const book = await bookOf(inventory, plain)
    expect(textsOf(book, inventory, ['gw-1', 'gateway', '/etc/gateway/haproxy.cfg'])).toEqual([
      ['Every gateway asks with TLS and without', ['plain', 'tls']],
      ['Gateways, one at a time', ['plain', 'tls']],
      ['Every gateway asks in the new way only', ['tls']],
    ])
    expect(textsOf(book, inventory, ['q-1', 'thanos_query', '/etc/thanos-query/relay.cfg'])).toEqual([
      ['Every Thanos Query asks with TLS and without', ['plain', 'tls']],
      ['Thanos Queries, one at a time', ['plain', 'tls']],
      ['Every Thanos Query asks in the new way only', ['tls']],
    ])
    const opened = book.plays.find(({ name }) => name === 'Every gateway asks with TLS and without')
    const host = inventory.hosts.find(({ name }) => name === 'gw-1')
    const ids = host && opened?.roles.flatMap((role) => role.tasks(scopeOf(role, host, inventory)).map(taskId))
    expect(ids).toEqual([
      ...['directory /etc/vestal', 'file /etc/vestal/authority.crt', 'certificate /etc/gateway/web.pem'],
      ...['file /etc/gateway/haproxy.cfg', 'service gateway, told both ways'],
    ])
    const without = await load(false, GLOBAL)
    const back = await bookOf(without, secure)
    expect(textsOf(back, without, ['gw-1', 'gateway', '/etc/gateway/haproxy.cfg'])[0]).toEqual([
      'Every gateway asks with TLS and without',
      ['tls', 'plain'],
    ])
  })

  test('queries of Thanos Rule know both ways too, and have read so before the first one changes', async () => {
    const inventory = await load({ plain: ['alertmanager'] }, { ...GLOBAL, gateway: {}, thanos_rule: { 'q-1': {} } })
    const book = await bookOf(inventory, plain)
    expect(textsOf(book, inventory, ['q-1', 'thanos_rule', '/etc/thanos-rule/shard-0.yml'])).toEqual([
      ['Every Thanos Rule asks with TLS and without', ['plain', 'tls']],
      ['Thanos Rules, one at a time', ['plain', 'tls']],
      ['Every Thanos Rule asks in the new way only', ['tls']],
    ])
    const opened = book.plays.find(({ name }) => name === 'Every Thanos Rule asks with TLS and without')
    const host = inventory.hosts.find(({ name }) => name === 'q-1')
    const [role] = opened?.roles ?? []
    const scope = host && role && scopeOf(role, host, inventory)
    expect([...new Set(scope && role.tasks(scope).map(taskId))]).toEqual([
      ...['directory /etc/vestal', 'file /etc/vestal/authority.crt', 'certificate /etc/thanos-rule/grpc.pem'],
      ...['file /etc/thanos-rule/shard-0.yml', 'file /etc/thanos-rule/query.yml'],
    ])
    expect(scope && role.healthy(scope).map(({ name }) => name)).toEqual([
      'queries of Thanos Rule have read whom they ask',
    ])
  })

  test('are all to be changed in the same run', async () => {
    const inventory = await load({ plain: ['gateway'] }, GLOBAL)
    const some = inventory.hosts.filter(({ name }) => name !== 'gw-1')
    await expect(bookOf(inventory, plain, some)).rejects.toThrow('gw-1, which asks there, would not know')
  })
})

describe('gossip', () => {
  const secretly = speaking(
    () => 'tls',
    () => 'tls',
  )
  const among = async (inventory: Inventory, reach: Reach, { hosts = inventory.hosts, oneByOne = false } = {}) =>
    gossipSwitch(inventory, { hosts, reach, oneByOne })

  test('that is to have TLS is nothing for a deploy, whose members would be alone one after the other', async () => {
    const inventory = await load({ gossip: true })
    await expect(bookOf(inventory, secure)).rejects.toThrow(
      'am-1, am-2: gossip in plain text, and are to do so with TLS',
    )
    await expect(bookOf(await load(true), secretly)).rejects.toThrow('gossip with TLS, and are to do so in plain text')
    await expect(bookOf(inventory, secure, inventory.hosts, ['alertmanager'])).rejects.toThrow('would split')
    await bookOf(inventory, secure, inventory.hosts, ['prometheus'])
    expect((await bookOf(inventory, secretly)).plays.map(({ name }) => name)).toEqual(
      deployOf(roles).plays.map(({ name }) => name),
    )
  })

  test('that has TLS is no matter of a deploy on which no Alertmanager runs yet', async () => {
    const inventory = await load({ gossip: true })
    const none = speaking(
      () => 'tls',
      () => '',
    )
    expect((await bookOf(inventory, none)).plays).toHaveLength(deployOf(roles).plays.length)
    expect(await among(inventory, none)).toBe(null)
  })

  test('is turned by one batch of all members, and what that means is said', async () => {
    const inventory = await load({ gossip: true })
    const found = await among(inventory, secure)
    expect(found?.book.plays).toMatchObject([{ name: 'Alertmanagers gossip with TLS, all at once', batch: 2 }])
    expect(found?.advice[0]?.what).toMatch(/for about 15 s nobody notifies/)
    expect(await among(inventory, secretly)).toBe(null)
    const back = await among(await load(true), secretly)
    expect(back?.book.plays[0]?.name).toBe('Alertmanagers gossip in plain text, all at once')
  })

  test('is turned one by one where that is asked for: the cluster is whole at the end only', async () => {
    const inventory = await load({ gossip: true })
    const found = await among(inventory, secure, { oneByOne: true })
    expect(found?.book.plays).toMatchObject([{ batch: 1 }, { name: 'Members see each other again', roles: [] }])
    expect(found?.advice[0]?.what).toContain('notified twice')
    const scope = { inventory, batch: [], hosts: [] }
    expect(found?.book.plays[1]?.after?.(scope).map(({ host, name }) => `${host}: ${name}`)).toContain(
      'am-2: Alertmanager gossips with every member of the inventory',
    )
  })

  test('takes all members, and web ports that are as they are to be', async () => {
    const inventory = await load({ gossip: true })
    const some = inventory.hosts.filter(({ name }) => name !== 'am-2')
    await expect(among(inventory, secure, { hosts: some })).rejects.toThrow('am-2 would be left out')
    await expect(among(inventory, plain)).rejects.toThrow('at its web port too')
  })

  test('is nothing to one that was left alone', async () => {
    const inventory = await load({ gossip: true }, { ...HOSTS, alertmanager: { 'am-1': { ansible_host: '10.0.0.3' } } })
    expect((await bookOf(inventory, secretly)).plays).toHaveLength(deployOf(roles).plays.length)
  })

  test('is of all members or of none', async () => {
    const mixed = { ...HOSTS, alertmanager: { ...HOSTS.alertmanager, 'am-2': { ansible_host: '10.0.0.4', tls: true } } }
    await expect(load({ gossip: true }, mixed)).rejects.toThrow('am-1 is to gossip with TLS, and am-2 without')
  })
})

describe('a ring', () => {
  const RING = {
    ...HOSTS,
    alertmanager: {},
    cortex_alertmanager: { 'c-1': { ansible_host: '10.0.0.31' }, 'c-2': { ansible_host: '10.0.0.32' } },
    gateway: { 'gw-1': { ansible_host: '10.0.0.22', gateway: { metrics: '127.0.0.1:8404' } } },
  }
  const secretly = speaking(
    () => 'tls',
    () => 'tls',
  )
  const withRing = (tls: object = {}) => load({ plain: ['gateway'], ...tls }, RING)

  test('is sent to with TLS and without before its first instance changes, as any tenant, and asked so by gateways', async () => {
    const inventory = await withRing()
    const book = await bookOf(inventory, plain)
    const plays = named(book, inventory)
    expect(plays.filter((name) => name.startsWith('Cortex'))).toEqual([
      'Cortex Alertmanagers, one at a time: TLS, 1 of 2: c-1',
      'Cortex Alertmanagers, one at a time: TLS, 2 of 2: c-2',
    ])
    const both = ['http 10.0.0.31:9009,10.0.0.32:9009', 'https 10.0.0.31:9009,10.0.0.32:9009']
    expect(senders(told(book, inventory, 0, CONFIG))).toEqual([...both, ...both])
    expect(told(book, inventory, 0, CONFIG)).toMatch(
      /scheme: https\n +tls_config:\n +ca_file: \/etc\/vestal\/authority\.crt/,
    )
    const last = senders(told(book, inventory, book.plays.length - 2, CONFIG))
    expect(last).toEqual([both[1], both[1]])
    const gateways = (name: string): string => {
      const play = book.plays.find((one) => one.name === name)
      const role = play?.roles.find(({ key }) => key === 'gateway')
      const host = inventory.hosts.find((one) => one.name === 'gw-1')
      if (!role || !host) throw new Error(`no play ${name}`)
      const task = role.tasks(scopeOf(role, host, inventory)).find(({ key }) => key === '/etc/gateway/haproxy.cfg')
      return String((task?.data as FileData | undefined)?.content)
    }
    expect(gateways('Every gateway asks with TLS and without')).toMatch(
      /server c-1 10\.0\.0\.31:9009\n +server c-1\.otherwise 10\.0\.0\.31:9009 ssl verify required verifyhost c-1 /,
    )
    expect(gateways('Every gateway asks in the new way only')).toContain(
      'server c-1 10.0.0.31:9009 ssl verify required',
    )
  })

  test('is nothing for a deploy where its instances are to speak to each other otherwise', async () => {
    await expect(bookOf(await withRing({ gossip: true }), secure)).rejects.toThrow(
      'c-1, c-2: gossip in plain text, and are to do so with TLS',
    )
    await expect(bookOf(await withRing(), secretly)).rejects.toThrow('gossip with TLS, and are to do so in plain text')
  })

  test('turns as a whole', async () => {
    const inventory = await withRing({ gossip: true })
    const found = await gossipSwitch(inventory, { hosts: inventory.hosts, reach: secure, oneByOne: false })
    expect(found?.book.plays).toMatchObject([
      { name: 'Instances of the ring speak to each other with TLS, all at once', batch: 2, onGateFailure: 'take-back' },
    ])
    expect(found?.advice[0]?.what).toContain('restart at once')
    await expect(gossipSwitch(inventory, { hosts: inventory.hosts, reach: secure, oneByOne: true })).rejects.toThrow(
      'can only turn as a whole',
    )
    const some = inventory.hosts.filter(({ name }) => name !== 'c-2')
    await expect(gossipSwitch(inventory, { hosts: some, reach: secure, oneByOne: false })).rejects.toThrow('left out')
    expect(await gossipSwitch(inventory, { hosts: inventory.hosts, reach: secretly, oneByOne: false })).toBe(null)
  })
})

test('what Prometheus has read is asked of it once for each moment of the run, and nothing restarts it by that', async () => {
  const inventory = await load(true)
  const book = await bookOf(inventory, plain)
  const services = book.plays.flatMap(({ roles: some, passing }) =>
    passing
      ? some.flatMap((role) => {
          const host = inventory.hosts.find(({ name }) => name === 'prom-1')
          return host ? role.tasks(scopeOf(role, host, inventory)).filter(({ kind }) => kind.name === 'service') : []
        })
      : [],
  )
  expect(services.map(({ key, desired }) => [key, desired])).toEqual([
    ['prometheus, told both ways', { loaded: 'same' }],
    ['prometheus, told the new way', { loaded: 'same' }],
  ])
  const states = services[0]?.kind.parse(SERVICES, services)
  expect(states?.size).toBe(2)
})

/** What a machine prints of one service that several tasks ask about: its unit once. */
const SERVICES = Buffer.from(
  'LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nInvocationID=1\nMainPID=7\n\0#\0#\0#\0#\0#\0#\0',
)
