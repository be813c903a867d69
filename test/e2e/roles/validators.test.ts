/** What the roles write, asked of the very binaries that will read it: every generation in the lab's mirror. */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { FileData } from '../../../lib/kinds/file.ts'
import { knowsFlag } from '../../../lib/program/flag-versions.ts'
import { bytesOf } from '../../../lib/secret.ts'
import { FLAGS as ALERTMANAGER } from '../../../roles/alertmanager/flag-versions.ts'
import { FLAGS as PROMETHEUS } from '../../../roles/prometheus/flag-versions.ts'
import { type Fleet, fleet, hostsFile } from '../../unit/roles/fleet.ts'
import { type ProgramName, unpacked, versionsOf } from './binaries.ts'

const FLAGS = { prometheus: PROMETHEUS, alertmanager: ALERTMANAGER, node_exporter: {} }
const PROGRAMS = ['prometheus', 'alertmanager', 'node_exporter'] as const
const each = (program: ProgramName) => versionsOf(program).map((version) => [version] as const)

/** Also of flags that `--help` hides. */
const knows = (program: ProgramName, version: string, flag: string): boolean => {
  const { stdout, stderr } = spawnSync(join(unpacked(program, version), program), [`--${flag}=1`, '--version'], {
    encoding: 'utf8',
  })
  return !(stdout + stderr).includes('unknown long flag')
}

describe.each(PROGRAMS)('%s', (program) => {
  test.each(each(program))('%s has exactly the flags that the table of versions says', (version) => {
    const flags = Object.keys(FLAGS[program])
    const said = flags.filter((flag) => knowsFlag(FLAGS[program], version, flag))
    expect(flags.filter((flag) => knows(program, version, flag))).toEqual(said)
  })
})

const config = {
  route: { receiver: 'team', routes: [{ matchers: ['team =~ "a|é"', 'x != "\\"y"'], receiver: 'night "shift"' }] },
  receivers: [
    { name: 'team', webhook_configs: [{ url: { $env: 'HOOK' } }] },
    {
      name: 'night "shift"',
      email_configs: [{ to: 'a@b.c', from: 'x@y.z', smarthost: 'm:25', auth_password: { $env: 'PASS' } }],
    },
  ],
}
const env = { HOOK: 'http://10.0.0.1/hook?a=b&c=%20', PASS: 'a"b\'c: #\n$d\\' }
const members = Object.fromEntries([1, 2, 3].map((n) => [`am-${n}`, { ansible_host: `10.0.0.${n}` }]))
const groups = {
  alertmanager: members,
  prometheus: { 'prom-1': { ansible_host: '10.0.0.9' } },
  node_exporter: members,
}

const made = (versions: { prometheus?: string; alertmanager?: string; node_exporter?: string }): Promise<Fleet> =>
  fleet(
    {
      'hosts.yml': hostsFile(groups, {
        node_exporter: {
          version: versions.node_exporter ?? '1.11.1',
          collectors: { enable: ['systemd'], disable: ['wifi'] },
          memory_max: '64MiB',
          web_config: {},
        },
        prometheus: {
          version: versions.prometheus ?? '3.5.3',
          cluster: 'eu "west" $1 é',
          replica: 'a: b #"c"',
          external_labels: { site: "it's" },
          retention: { time: '1d', size: '1GiB' },
          external_url: 'http://prometheus.example.net/prometheus/',
          web_config: { basic_auth_users: { vestal: '$2y$05$QfPQAPGpRBSqHGMJn2XqDeFUnTBzTzFYzlDzKFBvDYHkXnhxwMXKK' } },
          web_user: { username: 'vestal', password: { $env: 'PASS' } },
          remote_write: [{ url: 'http://10.0.0.1/push', basic_auth: { username: 'u', password: { $env: 'PASS' } } }],
          targets: {
            web: { group: 'alertmanager', port: 80, labels: { odd: 'yes', e: '1' }, config: { scrape_interval: '1m' } },
          },
        },
        alertmanager: {
          version: versions.alertmanager ?? '0.33.1',
          cluster: { label: 'eu west' },
          external_url: 'http://alerts.example.net/',
          templates: 'templates',
          config,
        },
        rules: { folders: ['mixins'] },
      }),
      'templates/a.tmpl': '{{ define "a" }}b{{ end }}',
      'mixins/m/alerts.yaml': 'groups: [{name: g, rules: [{alert: A, expr: "up == 0", for: 1m}]}]',
    },
    env,
  )

/** Puts a host's files below a folder, with paths inside them changed to match. */
const placed = (role: string, host: string, { from, below }: { from: Fleet; below: string }): void => {
  for (const task of from.tasks(role, host)) {
    const { content } = (task.data ?? {}) as FileData
    if (task.kind.name !== 'file' || content === undefined) continue
    mkdirSync(dirname(below + task.key), { recursive: true })
    writeFileSync(below + task.key, bytesOf(content).toString().replaceAll('/etc/', `${below}/etc/`))
  }
}
const checked = (binary: string, args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(binary, args, { encoding: 'utf8' })
  return { status, said: stdout + stderr }
}
const inFolder = <T>(use: (folder: string) => T): T => {
  const folder = mkdtempSync(join(tmpdir(), 'vestal-validators-'))
  try {
    return use(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test.each(each('prometheus'))('promtool %s accepts the config, targets, rules and web config', async (version) => {
  using from = await made({ prometheus: version })
  const promtool = join(unpacked('prometheus', version), 'promtool')
  inFolder((below) => {
    placed('prometheus', 'prom-1', { from, below })
    const etc = `${below}/etc/prometheus`
    expect(checked(promtool, ['check', 'config', `${etc}/prometheus.yml`])).toMatchObject({ status: 0 })
    expect(checked(promtool, ['check', 'web-config', `${etc}/web.yml`])).toMatchObject({ status: 0 })
    const rules = execFileSync('find', [`${etc}/rules`, '-type', 'f'], { encoding: 'utf8' })
      .trim()
      .split('\n')
    expect(rules).toHaveLength(6)
    for (const file of rules) expect(checked(promtool, ['check', 'rules', file])).toMatchObject({ status: 0 })
    writeFileSync(`${etc}/rules/broken.yml`, 'groups: [{name: g, rules: [{alert: A, expr: "up =="}]}]')
    expect(checked(promtool, ['check', 'config', `${etc}/prometheus.yml`]).status).not.toBe(0)
  })
})

test.each(each('prometheus'))('promtool %s finds that the shipped rules do what they say', (version) => {
  inFolder((below) => {
    cpSync(join(import.meta.dirname, '../../../roles/rules/files'), below, { recursive: true })
    cpSync(join(import.meta.dirname, 'rules.test.yml'), join(below, 'rules.test.yml'))
    const promtool = join(unpacked('prometheus', version), 'promtool')
    expect(checked(promtool, ['test', 'rules', join(below, 'rules.test.yml')])).toMatchObject({ status: 0 })
  })
})

test.each(each('alertmanager'))('amtool %s accepts the config with its secrets and templates', async (version) => {
  using from = await made({ alertmanager: version })
  const amtool = join(unpacked('alertmanager', version), 'amtool')
  inFolder((below) => {
    placed('alertmanager', 'am-1', { from, below })
    const file = `${below}/etc/alertmanager/alertmanager.yml`
    expect(checked(amtool, ['check-config', file])).toMatchObject({
      status: 0,
      said: expect.stringContaining('1 templates'),
    })
    writeFileSync(file, 'route: {receiver: nobody}\nreceivers: []\n')
    expect(checked(amtool, ['check-config', file]).status).not.toBe(0)
  })
})

describe('every flag of the command line is known to', () => {
  const cases = PROGRAMS.flatMap((program) => versionsOf(program).map((version) => [program, version] as const))
  test.each(cases)('%s %s, and no other word would be', async (program, version) => {
    using from = await made({ [program]: version })
    const host = program === 'prometheus' ? 'prom-1' : 'am-1'
    const flags = from
      .command(program, host)
      .slice(1)
      .map((word) => word.replace(/^--(no-)?/, '').replace(/=.*$/s, ''))
    expect(knows(program, version, 'no.such.flag')).toBe(false)
    expect(flags.length).toBeGreaterThan(2)
    expect(flags.filter((flag) => !knows(program, version, flag))).toEqual([])
  })
})
