/** Settings that don't agree with each other, or with the rest of the inventory, are told with their place before any machine is touched. */
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { rolesOf } from '../../../lib/playbook.ts'
import deploy from '../../../playbooks/deploy.ts'
import { inFolder } from './files.ts'

const roles = rolesOf(deploy)

interface Given {
  /** Settings of Prometheus beside its version, as YAML's flow style has them. */
  readonly prometheus?: string
  readonly alertmanager?: string
  readonly rules?: string
  readonly node_exporter?: string
  readonly groups?: string
  readonly files?: Readonly<Record<string, string>>
}

const HASH = `$2y$05$${'x'.repeat(53)}`
const ROUTE = 'route: { receiver: a }, receivers: [{ name: a }]'
const hosts = ({
  prometheus = '',
  alertmanager = `config: { ${ROUTE} }`,
  rules,
  node_exporter,
  groups = '',
}: Given) => `all:
  vars:
    prometheus: { version: 3.5.3, ${prometheus} }
    alertmanager: { version: 0.33.1, ${alertmanager} }
    node_exporter: { version: 1.11.1, ${node_exporter ?? ''} }
    ${rules ? `rules: { ${rules} }` : 'other: 1'}
  children:
    prometheus: { hosts: { p-1: { ansible_host: 192.0.2.11 }, p-2: { ansible_host: 192.0.2.12 } } }
    alertmanager: { hosts: { a-1: { ansible_host: 192.0.2.21 } } }
    node_exporter: { children: { prometheus: , alertmanager: } }
    ${groups}
`

const errorsIn = async (given: Given): Promise<string> =>
  inFolder({ ...given.files, 'hosts.yml': hosts(given) }, async (folder) => {
    try {
      await loadInventory([join(folder, 'hosts.yml')], roles, { env: {} })
      return 'no error'
    } catch (error) {
      return String(error).replace('InputError: ', '').replaceAll(`${folder}/`, '').replaceAll(folder, '.')
    }
  })

const CASES: Readonly<Record<string, Given & { readonly says: string | RegExp }>> = {
  'a group of Alertmanagers that there is not': {
    prometheus: 'alertmanager_group: alertmanagers',
    says: 'hosts.yml:3:55: prometheus.alertmanager_group: no host is in a group `alertmanagers`, so no alert would be sent; did you mean `alertmanager`?',
  },
  'a group of targets that there is not': {
    prometheus: 'targets: { web: { group: webservers, port: 80 } }',
    says: 'prometheus.targets.web.group: no host is in a group `webservers`, so nothing would be scraped',
  },
  'a group that is a role’s but for a hyphen': {
    groups: 'node-exporter: { hosts: { w-1: { ansible_host: 192.0.2.31 } } }',
    says: 'w-1 is in the group `node-exporter`, and nothing is installed there: the role goes by the group `node_exporter`',
  },
  'a job of a name that comes by itself': {
    prometheus: 'scrape_configs: [{ job_name: prometheus }]',
    says: /prometheus\.scrape_configs\.0\.job_name: a job `prometheus` is there already.*\n.*targets: \{ prometheus: null \}/,
  },
  'two jobs of one name': {
    prometheus: 'scrape_configs: [{ job_name: own }, { job_name: own }]',
    says: 'prometheus.scrape_configs.1.job_name: a job `own` is there already: scrape_configs[0]',
  },
  'a job that is called as one of targets that move': {
    prometheus: "scrape_configs: [{ job_name: 'own (moving)' }]",
    says: 'prometheus.scrape_configs.0.job_name: `own (moving)` is the name of a job whose targets move to another shard',
  },
  'a file of targets that nothing brings': {
    prometheus: 'scrape_configs: [{ job_name: own, file_sd_configs: [{ files: [/etc/prometheus/sd/own.yml] }] }]',
    says: 'prometheus.scrape_configs.0.file_sd_configs.0.files.0: nothing brings /etc/prometheus/sd/own.yml to the machine',
  },
  'a relative pattern of files of targets that matches none': {
    prometheus: "scrape_configs: [{ job_name: own, file_sd_configs: [{ files: ['targets/*.yml'] }] }]",
    says: 'nothing brings /etc/prometheus/targets/*.yml to the machine',
  },
  'a regular expression of relabelling that is none': {
    prometheus: "alert_relabel_configs: [{ regex: '(' }]",
    says: 'hosts.yml:3:68: prometheus.alert_relabel_configs.0.regex:',
  },
  'agent mode, which has no rules': {
    prometheus: 'extra_flags: { agent: true }',
    says: 'prometheus.extra_flags.agent: --agent is not for extra_flags: agent mode has no rules',
  },
  'a flag that a setting stands for': {
    prometheus: 'extra_flags: { storage.tsdb.path: /data }',
    says: '--storage.tsdb.path is not for extra_flags: write the setting `storage_dir`',
  },
  'a path of pages, which gates, jobs and Alertmanagers must know of too': {
    prometheus: 'extra_flags: { web.route-prefix: / }',
    says: '--web.route-prefix is not for extra_flags: write the setting `route_prefix`',
  },
  'a path of pages that is none': {
    alertmanager: `route_prefix: alertmanager, config: { ${ROUTE} }`,
    says: 'alertmanager.route_prefix: expected a path that starts with /',
  },
  'a flag of an exporter that a setting stands for': {
    node_exporter: 'extra_flags: { collector.textfile.directory: /t }',
    says: 'write the setting `textfile_dir`',
  },
  'users, and nobody to ask as': {
    prometheus: `web_config: { basic_auth_users: { ops: ${HASH} } }`,
    says: 'prometheus.web_config.basic_auth_users: the web server asks for a password, and there is no `web_user`',
  },
  'a user who is none of the users': {
    prometheus: `web_config: { basic_auth_users: { ops: ${HASH} } }, web_user: { username: opps, password: x }`,
    says: 'prometheus.web_user.username: is none of the users: ops',
  },
  'a hash that was cut off': {
    prometheus: 'web_config: { basic_auth_users: { ops: $2y$10$abc } }, web_user: { username: ops, password: x }',
    says: 'prometheus.web_config.basic_auth_users.ops: is no bcrypt hash',
  },
  'a listener that others cannot reach': {
    alertmanager: `listen: "127.0.0.1:9093", config: { ${ROUTE} }`,
    says: "alertmanager.listen: 127.0.0.1:9093 is this machine's own loopback",
  },
  'members known by names, all at once': {
    groups:
      'more: { children: { alertmanager: { hosts: { a-2: { ansible_host: a-2.example.net }, a-3: { ansible_host: a-3.example.net } } } } }',
    says: /a-2's address is a name, "a-2\.example\.net"/,
  },
  'a matcher that is none': {
    alertmanager: `config: { route: { receiver: a, routes: [{ matchers: ['service=~"("'] }] }, receivers: [{ name: a }] }`,
    says: /hosts\.yml:4:\d+: alertmanager\.config\.route\.routes\.0\.matchers\.0: /,
  },
  'text in place of a list of matchers': {
    alertmanager: 'config: { route: { receiver: a, routes: [{ matchers: foo=bar }] }, receivers: [{ name: a }] }',
    says: 'alertmanager.config.route.routes.0.matchers: expected a list of matchers',
  },
  'an expression of the older form that is none': {
    alertmanager: "config: { route: { receiver: a, routes: [{ match_re: { job: '[' } }] }, receivers: [{ name: a }] }",
    says: 'alertmanager.config.route.routes.0.match_re.job:',
  },
  'an inhibition’s matcher that is none': {
    alertmanager: `config: { ${ROUTE}, inhibit_rules: [{ source_matchers: ['a b c'], target_matchers: [] }] }`,
    says: 'alertmanager.config.inhibit_rules.0.source_matchers.0:',
  },
  'a time interval that nobody defined': {
    alertmanager:
      'config: { route: { receiver: a, routes: [{ active_time_intervals: [office] }] }, receivers: [{ name: a }] }',
    says: 'alertmanager.config.route.routes.0.active_time_intervals.0: no time interval is called "office"',
  },
  'two receivers of one name': {
    alertmanager: 'config: { route: { receiver: a }, receivers: [{ name: a }, { name: a }] }',
    says: 'alertmanager.config.receivers.1.name: another receiver is called "a" too',
  },
  'a folder of rules from which nothing is taken': {
    rules: 'folders: [rules]',
    files: { 'rules/README': 'none here' },
    says: 'rules.folders: no rule is in this folder',
  },
  'rules between marks of Jinja': {
    rules: 'folders: [rules]',
    files: {
      'rules/a.yml':
        'groups:\n- name: a\n  rules:\n  - alert: A\n    expr: up == 0\n    annotations:\n      summary: "{% raw %}{{ $labels.job }}{% endraw %}"\n',
    },
    says: /^rules\/a\.yml:7:17: `\{% raw … %\}` is a block of Jinja.*\n {2}Take the marks/,
  },
  'templates between marks of Jinja': {
    alertmanager: `templates: templates, config: { ${ROUTE} }`,
    files: { 'templates/a.tmpl': '{{ define "a" }}{% raw %}{{ .Status }}{% endraw %}{{ end }}' },
    says: /^templates\/a\.tmpl:1:17: /,
  },
}

describe('is told, with its place', () => {
  test.each(Object.entries(CASES))('%s', async (_, { says, ...given }) => {
    const error = await errorsIn(given)
    if (typeof says === 'string') expect(error).toContain(says)
    else expect(error).toMatch(says)
  })
  test('every member known by a name only', async () => {
    const error = await errorsIn(CASES['members known by names, all at once'] ?? {})
    expect(error.match(/address is a name/g)).toHaveLength(2)
  })
})

const RULE = 'groups: [{ name: a, rules: [{ alert: A, expr: up == 0 }] }]\n'

describe('is no mistake', () => {
  const fine: Readonly<Record<string, Given>> = {
    'the usual fleet': {},
    'rules in files that end in .rules': { rules: 'folders: [rules]', files: { 'rules/a.rules': RULE } },
    'files of targets that the inventory brings': {
      prometheus:
        "target_folders: [targets], scrape_configs: [{ job_name: own, file_sd_configs: [{ files: ['targets/*.yml', /srv/t.yml] }] }]",
      files: { 'targets/own.yml': '[]' },
    },
    'a built-in job that makes room': {
      prometheus: 'targets: { prometheus: null }, scrape_configs: [{ job_name: prometheus }]',
    },
  }
  test.each(Object.entries(fine))('%s', async (_, given) => expect(await errorsIn(given)).toBe('no error'))
  test('a folder of rules that is linked', async () => {
    await inFolder({ 'hosts.yml': hosts({ rules: 'folders: [rules]' }), 'shared/a.yml': RULE }, async (folder) => {
      mkdirSync(join(folder, 'rules'))
      symlinkSync('../shared/a.yml', join(folder, 'rules/a.yml'))
      await expect(loadInventory([join(folder, 'hosts.yml')], roles)).resolves.toBeDefined()
    })
  })
})
