import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { has } from '../../../../fleet/plays.ts'
import { withVersions } from '../../../../fleet/upgrade/new-versions.ts'
import { describeMistake, InputError } from '../../../../lib/errors.ts'
import { needsOf } from '../../../../lib/health/requirements.ts'
import { loadInventory } from '../../../../lib/inventory/load.ts'
import { taskId } from '../../../../lib/model.ts'
import { rolesGiven, rolesOn } from '../../../../lib/playbook.ts'
import { deployOf } from '../../../../playbooks/deploy.ts'
import { rolesFor } from '../../../../roles/registry.ts'
import { type Fleet, fleet } from '../fleet.ts'

const site = (hosts: Readonly<Record<string, object>>, files: Readonly<Record<string, string>> = {}) =>
  fleet(
    {
      'hosts.yml': JSON.stringify({
        all: {
          children: {
            prometheus: { hosts: { p: { ansible_host: '10.0.0.1' } }, vars: { prometheus: { version: '3.5.3' } } },
            db: {
              hosts: Object.fromEntries(
                Object.entries(hosts).map(([name, vars], at) => [name, { ansible_host: `10.0.1.${at + 1}`, ...vars }]),
              ),
            },
          },
        },
      }),
      ...files,
    },
    { PASSWORD: 'a$b"c\\d`e' },
  )

const refusal = async (made: Promise<Fleet>): Promise<string> => {
  try {
    using _ = await made
    return ''
  } catch (error) {
    if (error instanceof InputError) return error.mistakes.map(describeMistake).join('\n')
    throw error
  }
}
const redis = { version: '1.69.0' }

describe('an exporter of a host', () => {
  test('is a role of its own: on hosts that name it, and nowhere else', async () => {
    using one = await site({ a: { exporters: { redis } }, b: {} })
    const { inventory } = one
    const names = (host: string) => rolesOn(one.host(host), inventory.roles).map(({ name }) => name)
    expect([names('a'), names('b')]).toEqual([
      ['base', 'exporters', 'redis_exporter'],
      ['base', 'exporters'],
    ])
    expect(rolesGiven(deployOf(inventory.roles), one.host('a')).map(({ name }) => name)).toContain('redis_exporter')
    expect(inventory.roles.filter((role) => has(role)(one.host('a'))).map(({ name }) => name)).toContain(
      'redis_exporter',
    )
    expect(needsOf(inventory, one.host('a')).ports).toEqual([
      { port: 9121, protocol: 'tcp', unit: 'redis_exporter.service' },
    ])
  })

  test('runs its release with the flags of its data, as an account of its own', async () => {
    using one = await site({
      a: { exporters: { redis: { ...redis, extra_flags: { 'redis.addr': 'db:6379', debug: false } } } },
    })
    expect(one.command('redis_exporter', 'a')).toEqual([
      '/usr/local/bin/redis_exporter',
      '--web.listen-address=0.0.0.0:9121',
      '--redis.addr=db:6379',
      '--debug=false',
    ])
    expect(one.unitText('redis_exporter', 'a')).toContain('User=redis_exporter')
    expect(one.tasks('redis_exporter', 'a').map(taskId)).toContain('release redis_exporter 1.69.0')
  })

  test('has its credentials in a file that only root reads, as systemd reads them', async () => {
    using one = await site({
      a: { exporters: { redis: { ...redis, environment: { REDIS_PASSWORD: { $env: 'PASSWORD' } } } } },
    })
    const path = '/etc/redis_exporter/environment'
    const { content } = one.fileData('redis_exporter', 'a', path)
    expect([String(content), (content as { reveal(): string }).reveal()]).toEqual([
      'REDIS_PASSWORD="[secret]"\n',
      'REDIS_PASSWORD="a\\$b\\"c\\\\d\\`e"\n',
    ])
    expect(one.task('redis_exporter', 'a', `file ${path}`).desired).toMatchObject({ mode: '0600', owner: 'root' })
    expect(one.unitText('redis_exporter', 'a')).toContain(`EnvironmentFile=${path}\n`)
    expect(JSON.stringify(one.tasks('redis_exporter', 'a'))).not.toContain('a$b')
  })

  test('with tls has a certificate and a web configuration in its folder, and is scraped and probed through by https', async () => {
    const probes = { web: { module: 'http_2xx', targets: ['https://example.org'] } }
    using one = await site({
      a: { tls: true, exporters: { blackbox: { version: '0.26.0', probes } } },
      b: { exporters: { blackbox: { version: '0.26.0' } } },
    })
    const folder = '/etc/blackbox_exporter'
    const [ids, others] = ['a', 'b'].map((host) => one.tasks('blackbox_exporter', host).map(taskId))
    expect(ids).toContain(`certificate ${folder}/web.pem`)
    expect(others).not.toContain(`certificate ${folder}/web.pem`)
    expect(one.task('blackbox_exporter', 'a', `directory ${folder}`).data).toMatchObject({
      only: ['config.yml', 'web.pem', 'web.yml'],
    })
    expect(one.command('blackbox_exporter', 'a')).toContain(`--web.config.file=${folder}/web.yml`)
    expect(parse(one.text('blackbox_exporter', 'a', `${folder}/web.yml`))).toEqual({
      tls_server_config: { cert_file: `${folder}/web.pem`, key_file: `${folder}/web.pem` },
    })
    const labelsOf = (job: string): readonly unknown[] =>
      parse(one.text('prometheus', 'p', `/etc/prometheus/file_sd/${job}.yml`)).map(
        ({ labels }: { labels: Record<string, string> }) => labels.__scheme__,
      )
    expect([labelsOf('blackbox'), labelsOf('web')]).toEqual([['https', undefined], ['https']])
    const { scrape_configs: jobs } = parse(one.text('prometheus', 'p', '/etc/prometheus/prometheus.yml'))
    for (const name of ['blackbox', 'web'])
      expect(jobs.find(({ job_name }: { job_name: string }) => job_name === name)).toMatchObject({
        tls_config: { ca_file: '/etc/vestal/authority.crt' },
      })
  })

  test.each([
    ['that reads no web configuration', { redis }, 'redis_exporter'],
    ['whose version reads none yet', { blackbox: { version: '0.18.0' } }, 'blackbox_exporter'],
  ])('%s can’t have a certificate: with tls it is to be named as one in plain text', async (_, entries, name) => {
    expect(await refusal(site({ a: { tls: true, exporters: entries } }))).toMatch(
      new RegExp(`can[’']t be given a certificate[^]*tls: \\{ plain: \\[${name}\\] \\}`),
    )
    expect(await refusal(site({ a: { tls: { plain: [name] }, exporters: entries } }))).toBe('')
  })

  test('of a package masks the unit of its own before it comes', async () => {
    using one = await site({ a: { exporters: { redis: { source: 'package' } } } })
    const ids = one.tasks('redis_exporter', 'a').map(taskId)
    expect(ids.slice(1, 3)).toEqual(['masked prometheus-redis-exporter.service', 'package prometheus-redis-exporter'])
    expect(ids.filter((id) => id.startsWith('release'))).toEqual([])
    expect(one.command('redis_exporter', 'a')[0]).toBe('/usr/bin/prometheus-redis-exporter')
  })

  test('of a group is taken away where a host says so, and a second one beside it has a name of its own', async () => {
    const files = { 'group_vars/db.yml': 'exporters: { redis: { version: 1.69.0 } }\n' }
    using one = await site(
      {
        a: { exporters: { redis: { enabled: false } } },
        b: { exporters: { second: { exporter: 'redis', ...redis, listen: ':9122' } } },
      },
      files,
    )
    const units = (host: string) => one.task('exporters', host, 'units exporter').data
    expect([units('a'), units('b')]).toEqual([
      { only: [], releases: [] },
      { only: ['redis_exporter', 'redis_exporter-second'], releases: ['redis_exporter'] },
    ])
    expect(one.command('redis_exporter-second', 'b')).toContain('--web.listen-address=:9122')
    const targets = parse(one.text('prometheus', 'p', '/etc/prometheus/file_sd/redis.yml'))
    expect(targets.map(({ labels }: { labels: { instance: string } }) => labels.instance)).toEqual(['b:9121', 'b:9122'])
  })

  test('brings its rules once, and only where a host has it', async () => {
    using one = await site({ a: { exporters: { redis, second: { exporter: 'redis', ...redis, listen: ':9122' } } } })
    using none = await site({ a: {} })
    const rules = (of: Fleet) => of.tasks('rules', 'p').flatMap(({ key }) => (key.includes('redis') ? [key] : []))
    expect([rules(one), rules(none)]).toEqual([['/etc/prometheus/rules/vestal-redis.yml'], []])
  })

  test('is rolled to another version where its entry has one', async () => {
    using one = await site({
      a: { exporters: { redis } },
      b: { exporters: { redis: { source: 'package', version: '1.45.0' } } },
    })
    const { inventory } = await withVersions(one.inventory, {
      paths: [one.inventory.folder],
      versions: { 'exporters.redis': '1.86.0' },
    })
    const versions = inventory.hosts.map(
      ({ vars }) => (vars.exporters as { redis?: { version?: string } } | undefined)?.redis?.version,
    )
    expect(versions).toEqual([undefined, '1.86.0', '1.45.0'])
    expect(inventory.roles.filter(({ of }) => of !== undefined).map(({ name }) => name)).toEqual(['redis_exporter'])
  })
})

describe('probes', () => {
  const blackbox = (probes: object) => ({ p2: { exporters: { blackbox: { version: '0.26.0', probes } } } })

  test('are jobs of their own: their address is what is probed, and relabelling leads to the prober', async () => {
    using one = await site(
      blackbox({
        web: {
          module: 'http_2xx',
          targets: ['https://a/'],
          group: 'prometheus',
          target: 'http://{address}:9090/-/ready',
          labels: { site: 'eu' },
        },
      }),
    )
    const { scrape_configs: jobs } = parse(one.text('prometheus', 'p', '/etc/prometheus/prometheus.yml'))
    expect(jobs.find(({ job_name: name }: { job_name: string }) => name === 'web')).toEqual({
      job_name: 'web',
      metrics_path: '/probe',
      params: { module: ['http_2xx'] },
      relabel_configs: [
        { source_labels: ['__address__'], target_label: '__param_target' },
        { source_labels: ['__prober'], target_label: '__address__' },
      ],
      file_sd_configs: [{ files: ['/etc/prometheus/file_sd/web.yml'] }],
    })
    expect(parse(one.text('prometheus', 'p', '/etc/prometheus/file_sd/web.yml'))).toEqual([
      {
        targets: ['https://a/'],
        labels: { __prober: '10.0.1.1:9115', prober: 'p2', instance: 'https://a/', site: 'eu' },
      },
      {
        targets: ['http://10.0.0.1:9090/-/ready'],
        labels: { __prober: '10.0.1.1:9115', prober: 'p2', instance: 'http://p:9090/-/ready', site: 'eu' },
      },
    ])
  })

  test.each([
    ['no module', { web: { targets: ['a'] } }, /exporters\.blackbox\.probes\.web: `module` is missing/],
    [
      'a group that is none',
      { web: { module: 'icmp', group: 'dbs' } },
      /no host is in a group `dbs`.*did you mean `db`/,
    ],
    ['nothing', { web: { module: 'icmp' } }, /nothing is probed/],
    ['the name of an exporter', { redis: { module: 'icmp', group: 'db' } }, /a job `redis` is there already/],
  ])('%s is a mistake', async (_, probes, said) => {
    expect(await refusal(site(blackbox(probes)))).toMatch(said)
  })
})

describe('mistakes are told at their place', () => {
  test.each([
    [
      'an unknown name',
      { redsi: redis },
      /hosts\.yml:1:\d+: exporters\.redsi: no exporter is called `redsi`; did you mean `redis`\?/,
    ],
    ['no version', { redis: null }, /exporters\.redis: `version` is missing/],
    [
      'two on one port',
      { redis, blackbox: { version: '0.26.0', listen: ':9121' } },
      /exporters\.\w+\.listen: port 9121 is that of/,
    ],
    [
      'two versions of one release',
      { redis, other: { exporter: 'redis', version: '1.45.0', listen: ':1' } },
      /runs redis_exporter 1\.69\.0 on the same host/,
    ],
    [
      'a password on the command line',
      { redis: { ...redis, extra_flags: { 'redis.password': 'x' } } },
      /extra_flags\.redis\.password: --redis\.password would show a secret/,
    ],
    [
      'an address with a password',
      { redis: { ...redis, extra_flags: { 'redis.addr': 'redis://u:p@h' } } },
      /would show a secret/,
    ],
    [
      'a web configuration that it does not read',
      { redis: { ...redis, web_config: {} } },
      /redis 1\.69\.0 reads no web configuration/,
    ],
    ['a configuration that it does not read', { redis: { ...redis, config: {} } }, /redis reads no configuration file/],
    [
      'a flag that a setting stands for',
      { blackbox: { version: '0.26.0', extra_flags: { 'config.file': 'x' } } },
      /write the setting `config`/,
    ],
    [
      'a listener that Prometheus does not reach',
      { redis: { ...redis, listen: '127.0.0.1:9121' } },
      /exporters\.redis\.listen: 127\.0\.0\.1:9121 is this machine's own loopback/,
    ],
    ['an unknown setting', { redis: { ...redis, prot: 1 } }, /exporters\.redis: unknown key `prot`/],
  ])('%s', async (_, entries, said) => {
    expect(await refusal(site({ a: { exporters: entries } }))).toMatch(said)
  })

  test('one name is one exporter everywhere', async () => {
    expect(
      await refusal(
        site({
          a: { exporters: { cache: { exporter: 'redis', ...redis } } },
          b: { exporters: { cache: { exporter: 'blackbox', version: '0.26.0' } } },
        }),
      ),
    ).toMatch(/`cache` is redis here, and blackbox on b/)
  })
})

test('a variable of that name that is something else is nobody’s concern where the host has no role', async () => {
  using one = await site({ a: { exporters: ['node', 'redis'] }, b: { exporters: { mine: { port: 1 }, other: null } } })
  expect(one.inventory.hosts).toHaveLength(3)
})

describe('one’s own exporter', () => {
  const data = (name: string) => `{
    name: '${name}',
    summary: 'Metrics of a queue',
    release: { owner: 'acme', repo: 'queue_exporter', name: 'queue_exporter', binaries: ['queue_exporter'] },
    port: 9999,
  }`
  test('is some lines of data in vestal.config, and a role as those of the catalogue are', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vestal-exporter-'))
    writeFileSync(join(folder, 'vestal.config.mjs'), `export default { exporters: [${data('queue')}] }\n`)
    writeFileSync(
      join(folder, 'hosts.yml'),
      'all: { hosts: { q: { ansible_host: 10.0.2.1, exporters: { queue: { version: 1.9.0 }, redis: { version: 1.69.0 } } } } }\n',
    )
    const roles = await rolesFor([folder], '/')
    const { roles: found, hosts } = await loadInventory([folder], roles)
    const [host] = hosts
    rmSync(folder, { recursive: true })
    expect(found.filter(({ of }) => of).map(({ name }) => name)).toEqual(['redis_exporter', 'queue_exporter'])
    expect(host && rolesOn(host, found).map(({ name }) => name)).toContain('queue_exporter')
  })

  test('of the page is one', async () => {
    const root = join(import.meta.dirname, '../../../..')
    const block = /```ts\n(.*?)```/s.exec(readFileSync(join(root, 'docs/exporters.md'), 'utf8'))?.[1] ?? ''
    const folder = mkdtempSync(join(tmpdir(), 'vestal-exporter-'))
    writeFileSync(join(folder, 'vestal.config.ts'), block.replaceAll(/'vestal\/(.*?)'/g, `'${root}/lib/$1.ts'`))
    const roles = await rolesFor([join(folder, 'hosts.yml')], '/')
    rmSync(folder, { recursive: true })
    expect(roles.flatMap(({ entries }) => entries?.known.map(({ name }) => name) ?? [])).toContain('frr_exporter')
  })

  test.each([
    ['takes a name that is taken', data('redis'), /another exporter is called redis/],
    ['is none', '{ name: "queue" }', /exporters\.0: is no exporter/],
  ])('that %s is refused', async (_, exporters, said) => {
    const folder = mkdtempSync(join(tmpdir(), 'vestal-exporter-'))
    writeFileSync(join(folder, 'vestal.config.mjs'), `export default { exporters: [${exporters}] }\n`)
    const error = await rolesFor([join(folder, 'hosts.yml')], '/').catch((thrown: unknown) => thrown)
    rmSync(folder, { recursive: true })
    expect((error as InputError).mistakes.map(describeMistake).join('\n')).toMatch(said)
  })
})
