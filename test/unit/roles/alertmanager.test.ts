import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { bytesOf } from '../../../lib/secret.ts'
import { fleet, hostsFile, route } from './fleet.ts'

const three = {
  alertmanager: {
    'am-1': { ansible_host: '10.0.0.1' },
    'am-2': { ansible_host: '10.0.0.2' },
    'am-3': { ansible_host: '10.0.0.3' },
  },
}
const one = { alertmanager: { 'am-1': { ansible_host: '10.0.0.1' } } }
const withVars = (groups: Parameters<typeof hostsFile>[0], alertmanager: object, env?: NodeJS.ProcessEnv) =>
  fleet(
    { 'hosts.yml': hostsFile(groups, { alertmanager: { version: '0.33.1', config: route, ...alertmanager } }) },
    env,
  )

describe('the cluster', () => {
  test('each member is told all others, and its own address and name', async () => {
    using made = await withVars(three, {})
    const command = made.command('alertmanager', 'am-2')
    expect(command.filter((word) => word.startsWith('--cluster.peer='))).toEqual([
      '--cluster.peer=10.0.0.1:9094',
      '--cluster.peer=10.0.0.3:9094',
    ])
    expect(command).toContain('--cluster.advertise-address=10.0.0.2:9094')
    expect(command).toContain('--cluster.peer-name=am-2')
  })

  test('one that stands alone opens no gossip port', async () => {
    using made = await withVars(one, {})
    const flags = made.command('alertmanager', 'am-1').filter((word) => word.startsWith('--cluster'))
    expect(flags).toEqual(['--cluster.listen-address='])
  })

  test.each([
    ['0.25.0', { label: false, name: false }],
    ['0.28.1', { label: true, name: false }],
    ['0.33.1', { label: true, name: true }],
  ])('version %s is given only the flags that it knows', async (version, knows) => {
    using made = await withVars(three, { version, cluster: { label: 'eu' } })
    const command = made.command('alertmanager', 'am-1')
    expect(command.includes('--cluster.label=eu')).toBe(knows.label)
    expect(command.includes('--cluster.peer-name=am-1')).toBe(knows.name)
  })

  test('a host known only by name must say its IP address', async () => {
    const named = {
      alertmanager: { 'am-1': { ansible_host: 'am-1.example.net' }, 'am-2': { ansible_host: '10.0.0.2' } },
    }
    await expect(withVars(named, {})).rejects.toThrow(
      /hosts\.yml:1:\d+: alertmanager\.cluster\.advertise_address: am-1's address is a name, "am-1\.example\.net"/,
    )
  })

  test('IPv6 members listen on and advertise IPv6', async () => {
    const sixes = { alertmanager: { 'am-1': { ansible_host: 'fd00::1' }, 'am-2': { ansible_host: 'fd00::2' } } }
    using made = await withVars(sixes, { cluster: { port: 9000 } })
    expect(made.command('alertmanager', 'am-1')).toEqual(
      expect.arrayContaining([
        '--cluster.listen-address=[::]:9000',
        '--cluster.advertise-address=[fd00::1]:9000',
        '--cluster.peer=[fd00::2]:9000',
      ]),
    )
  })
})

describe('the configuration', () => {
  test('arrives as it stands in the inventory, secrets in place, readable for its group only', async () => {
    const config = {
      ...route,
      receivers: [{ name: 'team', webhook_configs: [{ url: { $env: 'HOOK' }, send_resolved: true }] }],
    }
    using made = await withVars(one, { config, canary: { enabled: false } }, { HOOK: 'https://hook/"quoted" $x\n: #' })
    const path = '/etc/alertmanager/alertmanager.yml'
    const { content, validate } = made.fileData('alertmanager', 'am-1', path)
    expect(parse(bytesOf(content ?? '').toString())).toEqual({
      ...route,
      receivers: [{ name: 'team', webhook_configs: [{ url: 'https://hook/"quoted" $x\n: #', send_resolved: true }] }],
    })
    expect(String(content)).not.toContain('quoted')
    expect(made.task('alertmanager', 'am-1', `file ${path}`).desired).toMatchObject({
      mode: '0640',
      owner: 'root',
      group: 'alertmanager',
    })
    expect(validate).toBe('/opt/vestal/alertmanager/0.33.1/amtool check-config "$1"')
  })

  test('takes canary alerts before any other route, each for itself, to a port of the host’s own loopback', async () => {
    const config = { ...route, route: { receiver: 'team', routes: [{ receiver: 'team', matchers: ['a="b"'] }] } }
    using made = await withVars(one, { config, canary: { port: 1234, group_interval: '1m' } })
    const { route: top, receivers } = parse(made.text('alertmanager', 'am-1', '/etc/alertmanager/alertmanager.yml'))
    expect(top.routes).toEqual([
      expect.objectContaining({
        receiver: 'vestal-canary',
        matchers: ['alertname="VestalCanary"', 'vestal="canary"'],
        group_by: ['...'],
        group_interval: '1m',
      }),
      { receiver: 'team', matchers: ['a="b"'] },
    ])
    expect(receivers.at(-1)).toEqual({
      name: 'vestal-canary',
      webhook_configs: [
        {
          url: 'http://127.0.0.1:1234/',
          send_resolved: true,
          http_config: { authorization: { credentials_file: '/etc/alertmanager/canary-token' } },
        },
      ],
    })
  })

  test('without receivers is refused before any machine is asked', async () => {
    await expect(withVars(one, { config: { route: { receiver: 'team' } } })).rejects.toThrow(
      /alertmanager\.config: `receivers` is missing; expected a list of receivers/,
    )
  })

  test('a route to a receiver that is not there is refused with its place', async () => {
    const config = { ...route, route: { receiver: 'team', routes: [{ receiver: 'tema' }] } }
    await expect(withVars(one, { config })).rejects.toThrow(
      /alertmanager\.config\.route\.routes\.0\.receiver: no receiver is called "tema"/,
    )
  })

  test('templates of the inventory are put in place and loaded', async () => {
    using made = await fleet({
      'hosts.yml': hostsFile(one, { alertmanager: { version: '0.33.1', config: route, templates: 'notify' } }),
      'notify/slack.tmpl': '{{ define "a" }}b{{ end }}',
      'notify/team/mail.tmpl': '',
    })
    const keys = made.tasks('alertmanager', 'am-1').map(({ key }) => key)
    expect(keys).toContain('/etc/alertmanager/templates/slack.tmpl')
    expect(keys).toContain('/etc/alertmanager/templates/team-mail.tmpl')
    expect(parse(made.text('alertmanager', 'am-1', '/etc/alertmanager/alertmanager.yml'))).toMatchObject({
      templates: ['/etc/alertmanager/templates/*.tmpl'],
    })
  })

  test('without templates in the inventory the folder on the host is left alone', async () => {
    using made = await withVars(one, {})
    expect(made.tasks('alertmanager', 'am-1').map(({ key }) => key)).not.toContain('/etc/alertmanager/templates')
  })

  test('a folder of templates that is not there is named', async () => {
    await expect(withVars(one, { templates: 'nowhere' })).rejects.toThrow(
      /nowhere: alertmanager\.templates: cannot be read as a folder/,
    )
  })
})

test('a memory limit is told to the kernel and, a tenth lower, to the program', async () => {
  using made = await withVars(one, { memory_max: '1GiB' })
  expect(made.unitText('alertmanager', 'am-1')).toContain('MemoryMax=1073741824\nEnvironment=GOMEMLIMIT=966367641\n')
})

test('the service is the last thing that is put right, and everything it reads comes before', async () => {
  using made = await withVars(three, {})
  const order = made.tasks('alertmanager', 'am-1').map(({ kind, key }) => `${kind.name} ${key}`)
  expect(order).toEqual([
    'user alertmanager',
    'directory /etc/alertmanager',
    'release alertmanager 0.33.1',
    'command a token for canary notifications',
    'file /etc/alertmanager/alertmanager.yml',
    'directory /var/lib/alertmanager',
    'symlink /opt/vestal/alertmanager/current',
    'symlink /usr/local/bin/alertmanager',
    'symlink /usr/local/bin/amtool',
    'unit alertmanager.service',
    'service alertmanager',
  ])
})
