/** Inputs that people have and that once failed, each with its right outcome. The folders are those of ../shared/cases, where each says whence it is. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { InputError } from '../../../lib/errors.ts'
import { findingsOf } from '../../../lib/health/finding.ts'
import { hostRules } from '../../../lib/health/host-checks.ts'
import type { Survey } from '../../../lib/health/survey.ts'
import { inventoryJson } from '../../../lib/inventory/json.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { alertmanager } from '../../../roles/alertmanager/role.ts'
import { teamRouting } from '../../../roles/alertmanager/teams.ts'
import { shippedRoles } from '../../../roles/registry.ts'
import { fleetOf } from '../roles/fleet.ts'

const CASES = join(import.meta.dirname, '../../fixtures/field')
const PROJECT = join(import.meta.dirname, '../../..')
const SHARED = join(PROJECT, '../shared/cases')
const PROM = '/etc/prometheus/prometheus.yml'
const AM = '/etc/alertmanager/alertmanager.yml'

const load = (path: string, env: NodeJS.ProcessEnv = {}) => loadInventory([join(CASES, path)], shippedRoles, { env })
const fleet = async (path: string, env?: NodeJS.ProcessEnv) => fleetOf(await load(path, env))
/** What is told of a case, a line each, without the folder in front. */
const told = async (path: string): Promise<readonly string[]> => {
  try {
    await load(path)
    return []
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    return error.message.replaceAll(`${CASES}/`, '').split('\n')
  }
}
const printed = async (path: string, env?: NodeJS.ProcessEnv): Promise<string> =>
  JSON.stringify(inventoryJson(await load(path, env)))

const OUTCOMES: Readonly<Record<string, () => Promise<void>>> = {
  'agent-mode': async () =>
    expect(await told('agent-mode/hosts.yml')).toContainEqual(
      expect.stringMatching(
        /^agent-mode\/hosts\.yml:5:55: prometheus\.extra_flags\.agent: --agent is not for extra_flags/,
      ),
    ),
  'am-hours-unquoted': async () => {
    const made = await fleet('am-hours-unquoted/hosts.yml')
    const { time_intervals: found } = parse(made.text('alertmanager', 'am-1', AM))
    expect(found[0].time_intervals[0].times).toEqual([{ start_time: '09:00', end_time: '17:00' }])
  },
  'am-label-yes': async () => {
    const made = await fleet('am-label-yes/hosts.yml')
    const host = made.host('am-1')
    const { router } = teamRouting(made.inventory, host, alertmanager.varsOf(host))
    const receiverOf = (labels: Readonly<Record<string, string>>) =>
      router.route(labels).map(({ receiver }) => receiver)
    expect(receiverOf({ page: 'yes' })).toEqual(['pager'])
    expect(receiverOf({ page: 'true' })).toEqual(['default'])
    expect(receiverOf({ build: '0123', release: '1.10' })).toEqual(['pager'])
    expect(receiverOf({ build: '83', release: '1.1' })).toEqual(['default'])
    expect(receiverOf({ power: 'off' })).toEqual(['pager'])
    const { content } = made.fileData('alertmanager', 'am-1', AM)
    expect((content as unknown as { reveal(): string }).reveal()).toContain('auth_password: "00123456"')
    expect(await printed('am-label-yes/hosts.yml')).not.toContain('0123456')
  },
  'anchor-holder': async () => {
    const { hosts } = await load('anchor-holder/hosts.yml')
    expect(hosts.map(({ name, link }) => [name, link.user])).toEqual([['prom-1', 'ops']])
  },
  'basic-auth-without-user': async () => {
    const all = await told('basic-auth-without-user/hosts.yml')
    for (const [line, role] of [
      [5, 'prometheus'],
      [6, 'alertmanager'],
    ] as const) {
      expect(all.join('\n')).toMatch(
        new RegExp(`:${line}:\\d+: ${role}\\.web_config\\.basic_auth_users: .* no \`web_user\``),
      )
      expect(all.join('\n')).toMatch(
        new RegExp(`:${line}:\\d+: ${role}\\.web_config\\.basic_auth_users\\.ops: is no bcrypt hash`),
      )
    }
  },
  'dns-names-in-cluster': async () => {
    const all = await told('dns-names-in-cluster/hosts.yml')
    const names = all.flatMap((line) => /hosts\.yml:4:46: .*: (\S+)'s address is a name/.exec(line)?.[1] ?? [])
    expect(names).toEqual(['server001', 'server002', 'server003'].map((name) => `${name}.example.net`))
  },
  'download-proxy': async () => {
    const asked: string[] = []
    const proxy = createServer((request, response) => {
      asked.push(request.url ?? '')
      response.writeHead(404).end()
    })
    const cache = mkdtempSync(join(tmpdir(), 'vestal-proxy-'))
    proxy.listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    try {
      const env = {
        ...process.env,
        HTTP_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
        http_proxy: '',
        NO_PROXY: '',
        no_proxy: '',
        XDG_CACHE_HOME: cache,
      }
      const words = [join(PROJECT, 'cli/vestal.js'), 'plan', '-i', join(CASES, 'download-proxy/hosts.yml')]
      const [code] = await once(spawn(process.execPath, words, { env, cwd: cache, stdio: 'ignore' }), 'close')
      expect(code).toBe(2)
      expect(asked[0]).toMatch(/^http:\/\/127\.0\.0\.1:18080\/prometheus\/node_exporter\//)
    } finally {
      proxy.close()
      rmSync(cache, { recursive: true })
    }
  },
  'external-alertmanager': async () => {
    const made = await fleet('external-alertmanager/hosts.yml')
    expect(parse(made.text('prometheus', 'prom-1', PROM)).alerting.alertmanagers).toEqual([
      { scheme: 'https', static_configs: [{ targets: ['alertmanager.corp.example.com'] }] },
    ])
    expect((await told('external-alertmanager/by-group.yml')).join('\n')).toMatch(
      /by-group\.yml:4:\d+: prometheus\.alertmanager_group: .*so how they are sent to is not known[\s\S]*alerting: \{ alertmanagers:/,
    )
  },
  'file-sd-not-brought': async () => {
    const all = (await told('file-sd-not-brought/hosts.yml')).join('\n')
    for (const file of ['/etc/prometheus/file_sd/snmp_default.yml', '/etc/prometheus/targets/*.yml'])
      expect(all).toContain(`nothing brings ${file} to the machine`)
  },
  'flags-over-settings': async () =>
    expect((await told('flags-over-settings/hosts.yml')).map((line) => line.replace(/^.*?: /, ''))).toEqual([
      'prometheus.extra_flags.storage.tsdb.path: --storage.tsdb.path is not for extra_flags: write the setting `storage_dir`',
      'prometheus.extra_flags.web.listen-address: --web.listen-address is not for extra_flags: write the setting `listen`',
      expect.stringContaining('prometheus.extra_flags.config.file: --config.file is not for extra_flags'),
    ]),
  'group-name-typo-silent': async () => {
    const all = (await told('group-name-typo-silent/hosts.yml')).join('\n')
    expect(all).toContain('the role goes by the group `node_exporter`')
    expect(all).toContain(
      'no host is in a group `alertmanagers`, so no alert would be sent; did you mean `alertmanager`?',
    )
    expect(all).toContain('no host is in a group `webservers`, so nothing would be scraped')
  },
  'group-vars-beside-playbook': async () => {
    const { hosts } = await load('group-vars-beside-playbook/inventory')
    expect(hosts.map(({ vars, link }) => [link.user, vars.node_exporter])).toEqual([['ops', { version: '1.11.1' }]])
  },
  'host-and-group-one-name': async () => {
    const { hosts } = await load('host-and-group-one-name/hosts.yml')
    expect(hosts.map(({ name, groups }) => [name, ...groups])).toEqual([
      ['prometheus', 'prometheus'],
      ['bastion', 'bastion'],
    ])
  },
  'ini-advice-is-a-trap': async () => {
    const env = { ANSIBLE_VAULT_PASSWORD_FILE: join(CASES, 'ini-advice-is-a-trap/vault-password') }
    const { hosts } = await load('ini-advice-is-a-trap/hosts.ini', env)
    expect(hosts.map(({ name, address }) => [name, address])).toEqual([
      ['prom-1', '192.0.2.11'],
      ['prom-2', '192.0.2.12'],
    ])
    expect(hosts[0]?.vars.prometheus).toBe(hosts[1]?.vars.prometheus)
    expect(hosts[0]?.vars.prometheus).toEqual({ version: expect.any(String) })
  },
  'inventory-jinja-elsewhere': async () => {
    const { hosts } = await load('inventory-jinja-elsewhere/hosts.yml')
    expect(hosts.map(({ name }) => name)).toEqual(['prom-1', 'app-1', 'app-2'])
    expect(hosts.map(({ link }) => (link.mistakes ?? []).length > 0)).toEqual([false, true, true])
  },
  'inventory-switches-windows': async () => {
    const { hosts } = await load('inventory-switches-windows/hosts.yml')
    expect(hosts.map(({ name, link }) => [name, (link.mistakes ?? []).length > 0])).toEqual([
      ['prom-1', false],
      ['sw-1', true],
      ['win-1', true],
      ['c-1', true],
    ])
  },
  'job-name-taken': async () =>
    expect((await told('job-name-taken/hosts.yml')).join('\n')).toMatch(
      /hosts\.yml:7:21: .*a job `prometheus` is there already[\s\S]*targets: \{ prometheus: null \}/,
    ),
  'mirror-password': async () => {
    expect(await printed('mirror-password/hosts.yml')).not.toContain('SECRETmirror')
    const MIRROR_URL = 'http://bob:SECRETmirror@127.0.0.1:9/{owner}/{repo}/{name}-{version}.{os}-{arch}.tar.gz'
    expect(await printed('mirror-password/as-secret.yml', { MIRROR_URL })).not.toContain('SECRETmirror')
  },
  'one-address-for-all': async () => {
    const all = (await told('one-address-for-all/hosts.yml')).join('\n')
    expect(all).toMatch(
      /hosts\.yml:5:9: mon-1's address among the machines, 127\.0\.0\.1, is each machine's own loopback/,
    )
    expect(all).toMatch(/hosts\.yml:6:9: mon-2 has the address of mon-1 among the machines/)
  },
  'one-setting-for-one-host': async () => {
    const all = await told('one-setting-for-one-host/hosts.yml')
    expect(
      all.filter((line) => line.includes('address is a name')).map((line) => /: (\S+)'s address/.exec(line)?.[1]),
    ).toEqual(['am-2.example.net'])
  },
  'prometheus-sections-missing': async () => {
    const made = await fleet('prometheus-sections-missing/hosts.yml')
    expect(parse(made.text('prometheus', 'prom-1', PROM))).toMatchObject({
      storage: { tsdb: { out_of_order_time_window: '30m' }, exemplars: { max_exemplars: 1000 } },
      tracing: { endpoint: '192.0.2.9:4317', insecure: true },
      remote_read: [{ url: 'https://read.example.org/api/v1/read' }],
      scrape_config_files: ['/etc/prometheus/scrape_configs/*.yml'],
      global: { sample_limit: 50000, rule_query_offset: '30s', query_log_file: '/var/lib/prometheus/query.log' },
    })
  },
  'proxycommand-w': async () => {
    const { hosts } = await load('proxycommand-w/hosts.yml')
    expect(hosts[0]?.link.mistakes ?? []).toEqual([])
    expect(hosts[0]?.link.options).toEqual({ proxyjump: 'jump@198.51.100.7:2222' })
  },
  'readme-first-example': async () => {
    // What the case has is no YAML, for Ansible neither; README begins with one that is, which test/unit/docs/yaml-blocks.test.ts loads.
    expect(await told('readme-first-example/hosts.yml')).toContainEqual(
      expect.stringMatching(/hosts\.yml:4:31: not valid YAML/),
    )
  },
  'routes-show-crash': async () =>
    expect(await told('routes-show-crash/hosts.yml')).toContainEqual(
      expect.stringMatching(/hosts\.yml:7:64: alertmanager\.config\.route\.routes\.0\.matchers\.0: .*without its/),
    ),
  'rules-dot-rules': async () => {
    const made = await fleet('rules-dot-rules/hosts.yml')
    expect(rulesOn(made)).toContain('/etc/prometheus/rules/app.yml')
  },
  'rules-jinja-raw': async () =>
    expect((await told('rules-jinja-raw/hosts.yml')).join('\n')).toMatch(
      /rules\/a\.yml:7:17: `\{% raw … %\}` is a block of Jinja[\s\S]*Take the marks \{% raw %\} and \{% endraw %\} away/,
    ),
  'rules-symlink': async () => {
    const made = await fleet('rules-symlink/hosts.yml')
    expect(rulesOn(made)).toContain('/etc/prometheus/rules/app.yml')
  },
  'secrets-shown': async () => {
    const all = await printed('secrets-shown/hosts.yml')
    expect(all).not.toMatch(/SECRET|12345678/)
  },
  'sshd-no-forwarding': async () => {
    const [host] = (await load('sshd-no-forwarding/hosts.yml')).hosts
    const facts = { os: '', arch: 'amd64', bootId: '', systemd: 252, clockSkewMs: 0, lastRun: '', lock: null }
    const survey: Survey = {
      ...{ facts, ms: 1, uid: 0, memoryBytes: 1, disks: new Map(), listeners: [], refused: [], forwards: false },
      ...{ addresses: [], names: new Map() },
    }
    const found = host ? findingsOf(hostRules, { hosts: [{ host, needs: {}, survey }] }) : []
    expect(found).toMatchObject([{ id: 'no-forwarding', fix: expect.stringContaining('AllowTcpForwarding yes') }])
  },
  'units-of-prometheus': async () => {
    const made = await fleet('units-of-prometheus/hosts.yml')
    expect(made.command('prometheus', 'prom-1')).toEqual(
      expect.arrayContaining(['--storage.tsdb.retention.time=365d', '--storage.tsdb.retention.size=50GB']),
    )
    expect(parse(made.text('prometheus', 'prom-1', PROM)).global.scrape_interval).toBe('90s')
    expect(made.host('prom-1').vars.prometheus).toMatchObject({ version: 'v3.5.3' })
  },
}

const rulesOn = (made: Awaited<ReturnType<typeof fleet>>): readonly string[] =>
  made.tasks('rules', 'prom-1').flatMap(({ kind, key }) => (kind.name === 'file' ? [key] : []))

describe('has the right outcome:', () => {
  test.each(Object.entries(OUTCOMES))('%s', (_, outcome) => outcome())
})

test('each case that there is has its outcome', () => {
  expect(readdirSync(CASES).sort()).toEqual(Object.keys(OUTCOMES).sort())
  const named = existsSync(SHARED) ? readdirSync(SHARED).filter((name) => name !== 'README.md') : []
  expect(Object.keys(OUTCOMES)).toEqual(expect.arrayContaining(named))
})
