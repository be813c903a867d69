/** Programs in containers: what is mounted there from the host is taken over, and what is of their images is told. */
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { adoptFleet } from '../../../../fleet/adopt/adopt.ts'
import { mountsIn, pathOnHost } from '../../../../fleet/adopt/mounts.ts'
import { writeAdoption } from '../../../../fleet/adopt/write.ts'
import { loadInventory } from '../../../../lib/inventory/load.ts'
import { shippedRoles } from '../../../../roles/registry.ts'
import { connectionTo, hostOf, type Machine, type Process, says } from './machine.ts'

/** As Docker's overlay, a file, a folder and a named volume look from inside, and what the host has mounted. */
const INSIDE = `1 0 0:90 / / rw - overlay overlay rw
2 1 8:1 /srv/mon/prometheus.yml /etc/prometheus/prometheus.yml ro - ext4 /dev/sda1 rw
3 1 8:1 /srv/mon/my\\040rules /etc/prometheus/rules ro - ext4 /dev/sda1 rw
4 1 8:17 /volumes/mon_data/_data /prometheus rw - ext4 /dev/sdb1 rw
5 1 0:99 /secret /run/secrets rw - tmpfs tmpfs rw
`
const HOST = `20 1 8:1 / / rw - ext4 /dev/sda1 rw
21 20 8:17 / /var/lib/docker rw - ext4 /dev/sdb1 rw
22 20 8:1 /srv /exported rw - ext4 /dev/sda1 rw
`
describe('a path of a container is on the host', () => {
  const mounted = { inside: mountsIn(INSIDE), host: mountsIn(HOST) }
  test.each([
    ['/etc/prometheus/prometheus.yml', '/exported/mon/prometheus.yml'],
    ['/etc/prometheus/rules/a.yml', '/exported/mon/my rules/a.yml'],
    ['/prometheus', '/var/lib/docker/volumes/mon_data/_data'],
    ['/prometheus/wal', '/var/lib/docker/volumes/mon_data/_data/wal'],
    ['/prometheus2', undefined],
    ['/etc/prometheus/console.html', undefined],
    ['/run/secrets/x', undefined],
  ])('%s at %s', (path, is) => expect(pathOnHost(path, mounted)).toBe(is))
})

const CONFIG = `rule_files: [rules/*.yml, /etc/prometheus/rules/*.yml]
alerting: {alertmanagers: [{static_configs: [{targets: ['10.0.0.1:9093']}]}]}
scrape_configs:
- {job_name: own, static_configs: [{targets: ['localhost:9090']}]}
- {job_name: remote, bearer_token_file: /run/secrets/x, static_configs: [{targets: ['far:1']}]}
`
const compose = (change: Partial<Process> = {}): Machine => ({
  name: 'mon-1',
  address: '10.0.0.1',
  processes: [
    {
      unit: '',
      user: 'nobody',
      cgroup: `0::/system.slice/docker-${'0123456789ab'.padEnd(64, 'c')}.scope`,
      folder: '/prometheus',
      version: says('prometheus', '2.53.3'),
      command: [
        '/bin/prometheus',
        '--config.file=/etc/prometheus/prometheus.yml',
        '--storage.tsdb.path=/prometheus',
        '--web.enable-lifecycle',
      ],
      mounted: { network: 'host', inside: INSIDE, host: HOST.replace(/^22.*\n/m, '') },
      ...change,
    },
  ],
  files: {
    '/srv/mon/prometheus.yml': CONFIG,
    '/srv/mon/my rules/a.yml': 'groups: [{name: a, rules: [{alert: A, expr: up == 0}]}]\n',
  },
})
const adopted = (machine: Machine) =>
  adoptFleet([hostOf(machine)], { forks: 1, reach: async () => connectionTo(machine) })

test('its configuration, rules, flags and data are taken over from where the host has them', async () => {
  const found = await adopted(compose())
  const folder = join(mkdtempSync(join(tmpdir(), 'vestal-compose-')), 'out')
  writeAdoption(folder, found)
  const { prometheus } = parse(readFileSync(join(folder, 'group_vars/prometheus.yml'), 'utf8'))
  expect(prometheus).toMatchObject({
    version: '2.53.3',
    replaces: ['prometheus.service'],
    storage_dir: '/var/lib/docker/volumes/mon_data/_data',
    extra_flags: { 'web.enable-lifecycle': true },
    scrape_configs: [{ job_name: 'own' }, { job_name: 'remote' }],
  })
  expect(readFileSync(join(folder, 'rules/a.yml'), 'utf8')).toContain('up == 0')
  expect((await loadInventory([folder], shippedRoles)).hosts).toHaveLength(1)
})

test('who stops it, and when, is told; so is what it names that is not the host’s', async () => {
  const { notes } = await adopted(compose())
  expect(notes).toContainEqual({
    host: 'mon-1',
    kind: 'left',
    where: 'docker 0123456789ab',
    what: expect.stringContaining('it is for you to stop'),
    fix: expect.stringContaining('docker rm -f 0123456789ab'),
  })
  expect(notes).toContainEqual(
    expect.objectContaining({
      where: '/srv/mon/prometheus.yml:5',
      what: 'names /run/secrets/x, which is not on the machine',
    }),
  )
  expect(notes.map(({ what }) => what).join('\n')).not.toContain('its network is the container’s own')
  const own = await adopted(compose({ mounted: { network: 'own', inside: INSIDE, host: HOST } }))
  expect(own.notes.map(({ what }) => what).join('\n')).toContain('its network is the container’s own')
})

test('data and a configuration of the image are no host’s, and are told', async () => {
  const { notes, groups } = await adopted(
    compose({ mounted: { network: 'host', inside: INSIDE.split('\n')[0] ?? '', host: HOST } }),
  )
  const told = notes.map(({ what }) => what)
  expect(told).toContainEqual('names /etc/prometheus/prometheus.yml, which is of its image, not mounted from the host')
  expect(told).toContainEqual(expect.stringContaining('its data, /prometheus, is in the container itself'))
  expect(groups.get('prometheus')?.vars.prometheus).not.toHaveProperty('storage_dir')
})

test('exporters in containers, and programs that say nothing, are left', async () => {
  for (const change of [{ version: says('node_exporter', '1.9.0') }, { version: 'exec failed' }]) {
    const { hosts, notes } = await adopted(compose(change))
    expect(hosts).toEqual([])
    expect(notes.map(({ what }) => what).join('\n')).toMatch(/runs in a container \(docker\)|doesn’t say by --version/)
  }
})
