/** A section that a program reads itself may be a file of the inventory's own, as that program has it. */
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { inventoryJson } from '../../../lib/inventory/json.ts'
import { fleet } from './fleet.ts'

const HOSTS = `all:
  children:
    alertmanager: { hosts: { a-1: { ansible_host: 192.0.2.21 } } }
    prometheus: { hosts: { p-1: { ansible_host: 192.0.2.11 } } }
`
const VARS = `alertmanager: { version: 0.33.1, canary: { enabled: false }, config: { $file: ../am/alertmanager.yml } }
prometheus: { version: 3.5.3, targets: { prometheus: null }, scrape_configs: { $file: ../am/jobs.yml } }
`
const CONFIG = `# As it has always been.
route:
  receiver: chat
  routes: [{ match: { page: yes, build: 0123 }, receiver: mail, active_time_intervals: [office] }]
time_intervals: [{ name: office, time_intervals: [{ times: [{ start_time: 09:00, end_time: 17:00 }] }] }]
receivers:
- name: chat
  webhook_configs: [{ url: 'https://x.example.net/secret-hook', send_resolved: yes }]
- name: mail
  email_configs: [{ to: 'a@example.net', auth_password: 00123456, text: '{{ .Status }}' }]
`
const JOBS = `- job_name: own
  honor_labels: on
  static_configs: [{ targets: ['a:1'], labels: { zone: 01 } }]
`
const files = { 'hosts.yml': HOSTS, 'group_vars/all.yml': VARS, 'am/alertmanager.yml': CONFIG, 'am/jobs.yml': JOBS }
const AM = '/etc/alertmanager/alertmanager.yml'

describe('a configuration that stands in a file of its own', () => {
  test('reaches the machine as if it stood in the settings', async () => {
    const inline = CONFIG.split('\n').map((line) => `    ${line}`)
    const vars = VARS.replace(
      /^alertmanager: .*$/m,
      ['alertmanager:', '  version: 0.33.1', '  canary: { enabled: false }', '  config:', ...inline].join('\n'),
    )
    using named = await fleet(files)
    using written = await fleet({ ...files, 'group_vars/all.yml': vars })
    const text = (made: typeof named): string =>
      (made.fileData('alertmanager', 'a-1', AM).content as unknown as { reveal(): string }).reveal()
    expect(text(named)).toBe(text(written))
    expect(parse(text(named)).route.routes[0].match).toEqual({ page: 'yes', build: '0123' })
    expect(parse(named.text('prometheus', 'p-1', '/etc/prometheus/prometheus.yml')).scrape_configs).toContainEqual({
      job_name: 'own',
      honor_labels: true,
      static_configs: [{ targets: ['a:1'], labels: { zone: '01' } }],
    })
  })

  test('shows nothing of itself where the inventory is shown', async () => {
    using made = await fleet(files)
    const all = JSON.stringify(inventoryJson(made.inventory))
    expect(all).not.toMatch(/secret-hook|0123456/)
    expect(all).toContain('"config":{"$file":"../am/alertmanager.yml"}')
  })

  test.each([
    [
      'of which a receiver is missing',
      CONFIG.replace('name: mail', 'name: post'),
      /group_vars\/all\.yml:1:\d+: alertmanager\.config\.route\.routes\.0\.receiver: no receiver is called "mail"/,
    ],
    ['that is no YAML', CONFIG.replace('[{ name: office', '[{ name: "office'), /am\/alertmanager\.yml:5:\d+: /],
    ['that is a list', JOBS, /alertmanager\.config: expected the Alertmanager configuration/],
    ['that is empty', '# nothing\n', /alertmanager\.config: /],
  ])('%s is told with its place', async (_, config, says) => {
    await expect(fleet({ ...files, 'am/alertmanager.yml': config })).rejects.toThrow(says)
  })

  test('that is not there is told', async () => {
    const { 'am/alertmanager.yml': _, ...others } = files
    await expect(fleet(others)).rejects.toThrow(
      /group_vars\/all\.yml:1:\d+: .*there is no file \.\.\/am\/alertmanager\.yml/,
    )
  })
})
