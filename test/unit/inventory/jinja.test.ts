import { describe, expect, test } from 'vitest'
import { inventoryJson } from '../../../lib/inventory/json.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { shippedRoles } from '../../../roles/registry.ts'
import { inFolder } from './files.ts'

const hosts = (vars: string): string => `all:
  vars:
    domain: example.net
    ports: { ssh: 2222 }
    nested: "{{ domain | upper }}"
    token: { $env: TOKEN }
    node_exporter: { version: 1.11.1 }
    ${vars}
  children:
    node_exporter: { hosts: { n-1: { ip: 10.0.0.1 }, n-2: { ip: 10.0.0.2 } } }
    other: { hosts: { o-1: { ip: 10.0.0.9 } } }
`
const read = (vars: string, files: Readonly<Record<string, string>> = {}) =>
  inFolder({ 'hosts.yml': hosts(vars), ...files }, async (folder) => {
    try {
      return await loadInventory([folder], shippedRoles, { env: { TOKEN: 's3cret-token', SITE: 'eu', HOME: folder } })
    } catch (error) {
      throw new Error(String(error).replaceAll(`${folder}/`, ''))
    }
  })

describe('a user’s name, as Jinja has it, is', () => {
  test.each([
    ['{{ domain }}', 'example.net'],
    ['{{domain}}', 'example.net'],
    ['u-{{ domain }}', 'u-example.net'],
    ['{{ inventory_hostname }}', 'n-1'],
    ['{{ nested }}', 'EXAMPLE.NET'],
    ['{{ missing | default(domain) }}', 'example.net'],
    ["{{ lookup('env', 'SITE') }}", 'eu'],
    ["{{ lookup('ansible.builtin.file', 'name.txt') }}", 'from a file'],
    ["{{ groups['node_exporter'] | join('-') }}", 'n-1-n-2'],
    ['{{ groups.all | length }}x', '3x'],
    ["{{ hostvars['o-1'].ip }}", '10.0.0.9'],
    ["{{ hostvars[groups.other[0]]['ip'] }}", '10.0.0.9'],
    ["{{ groups['node_exporter'] | map('extract', hostvars, 'ip') | join(',') }}", '10.0.0.1,10.0.0.2'],
    ["{{ domain.split('.')[0] }}", 'example'],
    ["{{ 'a' if 'other' in group_names else 'b' }}", 'b'],
    ["{{ domain | regex_replace('^(\\w+)\\.net$', 'x-\\\\1') }}", 'x-example'],
    ['{% if domain == "example.net" %}yes{% else %}no{% endif %}', 'yes'],
    ["{{ 'yes' | bool | ternary('on', 'off') }}", 'on'],
    ['{{ domain | b64encode | b64decode }}', 'example.net'],
    ["{{ {'a': 'b'} | combine({'a': 'c'}) | to_json }}", '{"a":"c"}'],
  ])('of %s: %s', async (text, user) => {
    const inventory = await read(`ansible_user: ${JSON.stringify(text)}`, {
      'files/x': '',
      'name.txt': 'from a file\n',
    })
    expect(inventory.hosts[0]?.link.user).toBe(user)
  })
})

test('an expression keeps its type, and hosts have values of their own', async () => {
  const { hosts: found } = await read('ansible_port: "{{ ports.ssh }}"\n    vestal: { address: "{{ ip }}" }')
  expect(found.slice(0, 2).map(({ link, address }) => [link.port, address])).toEqual([
    [2222, '10.0.0.1'],
    [2222, '10.0.0.2'],
  ])
})

test('settings of a role are evaluated, Go templates in them are not', async () => {
  const inventory = await read(
    'version: 1.10.0\n    node_exporter: { version: "{{ version }}", web_config: { note: "{{ .Labels.job }}" } }'.replace(
      'node_exporter:',
      'unused: 1\n    node_exporter:',
    ),
  ).catch((error: Error) => error.message)
  // A second `node_exporter` in one mapping is a mistake of the test's own; group_vars take its place.
  expect(inventory).toContain('`node_exporter` is set twice')
  const { hosts: found } = await read('version: 1.10.0', {
    'group_vars/node_exporter.yml':
      'node_exporter: { version: "{{ version }}", web_config: { note: "{{ .Labels.job }}" } }\n',
  })
  expect(found[0]?.vars.node_exporter).toEqual({ version: '1.10.0', web_config: { note: '{{ .Labels.job }}' } })
  expect(found[0]?.vars.node_exporter).toBe(found[1]?.vars.node_exporter)
})

test('what is made of a secret is one, and --json says what Ansible says', async () => {
  const inventory = await read(
    'ansible_become: true\n    ansible_become_password: "{{ token }}"\n    ansible_user: "{{ domain }}"',
  )
  expect(inventory.hosts[0]?.link.become?.password?.reveal()).toBe('s3cret-token')
  const json = JSON.stringify(inventoryJson(inventory))
  expect(json).not.toContain('s3cret')
  expect(json).toContain('"ansible_user":"{{ domain }}"')
})

describe('what has no value is told with its place', () => {
  test.each([
    ['{{ nowhere }}', 'hosts.yml:8:19: ansible_user: this template has no value for n-1: '],
    ['{{ domain | ipaddr }}', 'unknown filter'],
    ["{{ lookup('pipe', 'id') }}", 'lookup: only env and file can be looked up here, not pipe'],
    ["{{ lookup('file', 'gone') }}", 'lookup: there is no file gone'],
    ['{{ ansible_user }}', 'ansible_user needs ansible_user, and so itself'],
    ['{{ domain', 'hosts.yml:8:19: ansible_user: this template has no value for n-1: '],
  ])('%s', async (text, says) => {
    await expect(read(`ansible_user: ${JSON.stringify(text)}`)).rejects.toThrow(says)
  })
})
