/** Two shards on two machines, each machine with a replica of both: what each host has of its own, and what is told of a machine. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { inventoryView } from '../../../fleet/check/view-of-inventory.ts'
import { leaving, removable } from '../../../fleet/decommission.ts'
import { drillFleet, leftWithout, shardsWithout } from '../../../fleet/drill/drill-fleet.ts'
import { dead, powerLost } from '../../../lib/drill/fault.ts'
import { batchesOf } from '../../../lib/engine/batches.ts'
import { needsOf } from '../../../lib/health/requirements.ts'
import { taskId } from '../../../lib/model.ts'
import { machineOf } from '../../../lib/one-machine.ts'
import { scopeOf } from '../../../lib/playbook.ts'
import { prometheus } from '../../../roles/prometheus/role.ts'
import { shardOf } from '../../../roles/prometheus/shards.ts'
import { shippedRoles } from '../../../roles/registry.ts'
import { sidecarsIn } from '../../../roles/thanos-sidecar/members.ts'
import { type Fleet, fleet } from './fleet.ts'

const HOSTS = `
all:
  vars:
    prometheus: { version: 3.5.3, sharding: hashmod, memory_max: 1GiB }
    thanos_sidecar: { version: 0.42.4 }
    node_exporter: { version: 1.11.1 }
  children:
    node_exporter:
      hosts:
        m-1: { ansible_host: 192.0.2.11 }
        m-2: { ansible_host: 192.0.2.12 }
    thanos_sidecar: { children: { prometheus: } }
    prometheus:
      children:
        shard_0:
          vars: { vestal: { instance: s0 } }
          hosts:
            p-0a: { ansible_host: 192.0.2.11 }
            p-0b: { ansible_host: 192.0.2.12 }
        shard_1:
          vars:
            vestal: { instance: s1 }
            prometheus: { listen: "0.0.0.0:9091" }
            thanos_sidecar: { listen: "0.0.0.0:10912", grpc_listen: "0.0.0.0:10911" }
          hosts:
            p-1a: { ansible_host: 192.0.2.11 }
            p-1b: { ansible_host: 192.0.2.12 }
`
const several = (): Promise<Fleet> => fleet({ 'hosts.yml': HOSTS })
const ids = (of: Fleet, role: string, host: string): readonly string[] => of.tasks(role, host).map(taskId)

describe('two Prometheus of one machine', () => {
  test('share the account and the releases, and nothing else', async () => {
    using of = await several()
    const both = ids(of, 'prometheus', 'p-0a').filter((id) => ids(of, 'prometheus', 'p-1a').includes(id))
    expect(both).toEqual(['user prometheus', 'release prometheus 3.5.3'])
    const sidecars = ids(of, 'thanos-sidecar', 'p-0a').filter((id) => ids(of, 'thanos-sidecar', 'p-1a').includes(id))
    expect(sidecars).toEqual(['user thanos', 'release thanos 0.42.4'])
    expect(ids(of, 'rules', 'p-0a').filter((id) => ids(of, 'rules', 'p-1a').includes(id))).toEqual([
      'release prometheus 3.5.3',
    ])
  })

  test('have paths, units, ports and a version of their own', async () => {
    using of = await several()
    const { command } = of.task('prometheus', 'p-1a', 'service prometheus-s1').data as { command: readonly string[] }
    expect(command.slice(0, 5)).toEqual([
      '/opt/vestal/prometheus/current-s1/prometheus',
      '--config.file=/etc/prometheus-s1/prometheus.yml',
      '--storage.tsdb.path=/var/lib/prometheus-s1',
      '--storage.tsdb.retention.time=15d',
      '--web.listen-address=0.0.0.0:9091',
    ])
    const config = of.text('prometheus', 'p-1a', '/etc/prometheus-s1/prometheus.yml')
    expect(config).toContain('/etc/prometheus-s1/rules/*.yml')
    expect(config).toContain('/etc/prometheus-s1/file_sd/prometheus.yml')
    expect(config).not.toContain('/etc/prometheus/')
    expect(of.task('prometheus', 'p-1a', 'symlink /opt/vestal/prometheus/current-s1').desired).toMatchObject({
      target: '/opt/vestal/prometheus/3.5.3',
    })
    const { text } = of.task('prometheus', 'p-1a', 'unit prometheus-s1.service').data as { text: string }
    expect(text).toContain('ReadWritePaths=/var/lib/prometheus-s1\n')
    expect(text).toContain('User=prometheus\n')
    expect(text).toContain('Description=Prometheus (s1)\n')
  })

  test('have a sidecar each, which asks the one beside it', async () => {
    using of = await several()
    const { command } = of.task('thanos-sidecar', 'p-1a', 'service thanos-sidecar-s1').data as {
      command: readonly string[]
    }
    expect(command).toEqual(
      expect.arrayContaining([
        '/opt/vestal/thanos/current-s1/thanos',
        '--prometheus.url=http://127.0.0.1:9091',
        '--prometheus.http-client-file=/etc/thanos-sidecar-s1/prometheus.yml',
        '--grpc-address=0.0.0.0:10911',
      ]),
    )
    expect(sidecarsIn(of.inventory).map(({ address, shard }) => `${address} ${shard}`)).toEqual([
      '192.0.2.11:10901 0',
      '192.0.2.12:10901 0',
      '192.0.2.11:10911 1',
      '192.0.2.12:10911 1',
    ])
  })

  test('have certificates of their own, and trust whom the machine trusts', async () => {
    using of = await fleet({ 'hosts.yml': HOSTS, 'group_vars/all.yml': 'tls: true\n' })
    const both = ['prometheus', 'thanos-sidecar'].flatMap((role) =>
      ids(of, role, 'p-0a').filter((id) => ids(of, role, 'p-1a').includes(id)),
    )
    expect(both.filter((id) => !/^(user|release|directory \/etc\/vestal|file \/etc\/vestal)/.test(id))).toEqual([])
    const command = (role: string) =>
      (of.task(role, 'p-1a', `service ${role}-s1`).data as { command: readonly string[] }).command
    expect(ids(of, 'prometheus', 'p-1a')).toContain('certificate /etc/prometheus-s1/web.pem')
    expect(command('prometheus')).toContain('--web.config.file=/etc/prometheus-s1/web.yml')
    expect(of.text('prometheus', 'p-1a', '/etc/prometheus-s1/web.yml')).toContain('/etc/prometheus-s1/web.pem')
    expect(ids(of, 'thanos-sidecar', 'p-1a')).toContain('certificate /etc/thanos-sidecar-s1/web.pem')
    expect(command('thanos-sidecar')).toEqual(
      expect.arrayContaining([
        '--prometheus.url=https://192.0.2.11:9091',
        '--grpc-server-tls-cert=/etc/thanos-sidecar-s1/web.pem',
        '--http.config=/etc/thanos-sidecar-s1/web.yml',
      ]),
    )
  })

  test('are targets with names of their own, and the machine is one', async () => {
    using of = await several()
    const targets = of.text('prometheus', 'p-0a', '/etc/prometheus-s0/file_sd/prometheus.yml')
    expect(targets.match(/192\.0\.2\.11:909\d|instance: .*/g)).toEqual(
      expect.arrayContaining(['192.0.2.11:9090', '192.0.2.11:9091', 'instance: p-1a:9091']),
    )
    const machines = of.text('prometheus', 'p-0a', '/etc/prometheus-s0/file_sd/node.yml')
    expect(machines.match(/instance: .*/g)).toEqual(['instance: m-1:9100', 'instance: m-2:9100'])
  })

  test('the others’ exporters are not taken away', async () => {
    using of = await several()
    const role = of.inventory.roles.find(({ name }) => name === 'exporters')
    expect(role?.on?.(of.host('p-0a'))).toBe(false)
    expect(role?.on?.(of.host('m-1'))).toBe(true)
  })

  test('what checks read of the inventory is of each', async () => {
    using of = await several()
    const { prometheus: views } = inventoryView(of.inventory)
    expect(views.map(({ host, shard }) => `${host} ${shard}`)).toEqual(['p-0a 0', 'p-0b 0', 'p-1a 1', 'p-1b 1'])
    for (const one of views) expect(one.targets).toContain(`/etc/prometheus-s${one.shard}/file_sd/node.yml`)
    for (const one of views) expect(one.rules).toContain(`/etc/prometheus-s${one.shard}/rules/`)
  })

  test('must have room in the machine’s memory together', async () => {
    using of = await several()
    const gib = 1024 ** 3
    expect(needsOf(of.inventory, of.host('p-0a')).memoryBytes).toBe(2 * gib)
    expect(needsOf(of.inventory, of.host('p-1a')).ports?.map(({ port, unit }) => `${port} ${unit}`)).toEqual([
      '10912 thanos-sidecar-s1.service',
      '10911 thanos-sidecar-s1.service',
      '9091 prometheus-s1.service',
    ])
  })
})

describe('a roll', () => {
  test.for([1, 2, 3, 4])('of %i at a time never has two replicas of a shard in one batch', async (batch) => {
    using of = await several()
    const hosts = of.inventory.hosts.filter(({ groups }) => groups.includes('prometheus'))
    const apart = (host: (typeof hosts)[number]) => shardOf(host, of.inventory)
    for (const one of batchesOf(hosts, { batch, apart, of: hosts.length }, (host) => host))
      expect(new Set(one.map(apart)).size).toBe(one.length)
  })
})

describe('a drill', () => {
  test('of a unit takes one of them, and of a machine’s power both', async () => {
    using of = await several()
    const shards = drillFleet(of.inventory).shards.map(({ prometheus: members }) => members)
    expect(shards.flat().map(({ host, unit, data }) => `${host.name} ${unit} ${data}`)).toEqual([
      'p-0a prometheus-s0 /var/lib/prometheus-s0',
      'p-0b prometheus-s0 /var/lib/prometheus-s0',
      'p-1a prometheus-s1 /var/lib/prometheus-s1',
      'p-1b prometheus-s1 /var/lib/prometheus-s1',
    ])
    const [first = [], second = []] = shards
    const killed = first.map(({ host, unit }) => dead(host, unit))
    expect(shardsWithout(killed, of.inventory)).toEqual(['0'])
    // The power of the machines of shard 0, which are those of shard 1 too.
    expect(
      shardsWithout(
        first.map(({ host }) => powerLost(host)),
        of.inventory,
      ),
    ).toEqual(['0', '1'])
    expect(
      leftWithout(
        second.slice(0, 1).map(({ host }) => powerLost(host)),
        of.inventory,
      ),
    ).toEqual([])
  })
})

test('one that leaves stops its own services alone', async () => {
  using of = await several()
  const stops = (host: string) =>
    removable(shippedRoles)
      .filter(({ group }) => group !== undefined && of.host(host).groups.includes(group))
      .flatMap((role) =>
        leaving(role)
          .tasks(scopeOf(leaving(role), of.host(host), of.inventory))
          .map(taskId),
      )
  expect(stops('p-1a')).toEqual(['service thanos-sidecar-s1', 'service prometheus-s1'])
  expect(stops('m-1')).toEqual(['service node_exporter'])
})

test('the inventory on the page is one that loads', async () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/sharding.md'), 'utf8')
  const [, hosts = ''] = /```yaml\n(# hosts\.yml\n.*?)```/s.exec(page) ?? []
  const versions =
    'prometheus: { version: 3.5.3, sharding: hashmod }\nthanos_sidecar: { version: 0.42.4 }\nnode_exporter: { version: 1.11.1 }\n'
  using of = await fleet({ 'hosts.yml': hosts, 'group_vars/all.yml': versions })
  expect(of.inventory.hosts.map(({ name, machine }) => `${name} ${machine.instance}`)).toEqual([
    'prom-0a s0',
    'prom-0b s0',
    'prom-1a s1',
    'prom-1b s1',
    'machine-1 undefined',
    'machine-2 undefined',
  ])
})

test('hosts of one machine are told by how it is reached', async () => {
  using of = await several()
  const machines = Map.groupBy(of.inventory.hosts, machineOf)
  expect([...machines.values()].map((some) => some.map(({ name }) => name))).toEqual([
    ['m-1', 'p-0a', 'p-1a'],
    ['m-2', 'p-0b', 'p-1b'],
  ])
  expect(prometheus.varsOf(of.host('p-1a')).storage_dir).toBe('/var/lib/prometheus-s1')
})
