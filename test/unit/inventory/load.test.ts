import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { inventoryOrigins } from '../../../lib/inventory/json.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { exampleRoles } from './example-roles.ts'
import { inFolder, load, yaml } from './files.ts'

const files = {
  'hosts.yml': yaml`
    all:
      vars: { vestal: { arch: arm64 }, prometheus: { version: 3.5.3 } }
      hosts:
        p1: { ansible_host: 10.0.0.1, tags: [a, { b: c }] }
        p2: { vestal: { lab: default, releases: "file:/srv/releases", keepReleases: 0 } }
      children:
        site: { children: { prometheus: { hosts: { p1: , p2: } } } }
  `,
  'host_vars/p2.yml': yaml`
    # A comment
    ansible_host: 10.0.0.2
  `,
}

describe('a loaded inventory', () => {
  test('is frozen all through', async () => {
    const inventory = await load({ files })
    const { roles: _, ...data } = inventory
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen))
    expect([Object.isFrozen(inventory), ...Object.values(data).map(frozen)]).toEqual([true, true, true, true])
  })
  test('knows the addresses, all groups and the machine of each host', async () => {
    const { hosts } = await load({ files })
    expect(hosts.map(({ name, address, groups, machine }) => ({ name, address, groups, machine }))).toEqual([
      {
        name: 'p1',
        address: '10.0.0.1',
        groups: ['prometheus', 'site'],
        machine: {
          arch: 'arm64',
          keepReleases: 3,
          releases:
            'https://github.com/{owner}/{repo}/releases/download/v{version}/{name}-{version}.{os}-{arch}.tar.gz',
        },
      },
      {
        name: 'p2',
        address: '10.0.0.2',
        groups: ['prometheus', 'site'],
        machine: { arch: 'arm64', lab: 'default', keepReleases: 0, releases: 'file:/srv/releases' },
      },
    ])
  })
  test('shares what hosts share', async () => {
    const [one, two] = (await load({ files })).hosts
    expect(one?.vars.prometheus).toBe(two?.vars.prometheus)
  })
  test('can tell where each value was written', async () => {
    await inFolder(files, async (folder) => {
      const inventory = await loadInventory([folder], exampleRoles, { env: {} })
      const { p1, p2 } = inventoryOrigins(inventory)
      const hosts = join(folder, 'hosts.yml')
      expect(p1).toEqual({
        vestal: `${hosts}:2:11`,
        prometheus: `${hosts}:2:36`,
        ansible_host: `${hosts}:4:11`,
        tags: `${hosts}:4:35`,
      })
      expect(p2?.ansible_host).toBe(`${join(folder, 'host_vars/p2.yml')}:2:1`)
    })
  })
  test('is called after its path, and relative paths start at its folder', async () => {
    await inFolder({ 'prod/hosts.yml': 'all: { hosts: a }', 'more.yml': 'all: { hosts: b }' }, async (folder) => {
      const both = await loadInventory([join(folder, 'prod'), join(folder, 'more.yml')], [])
      expect(both).toMatchObject({ name: 'prod+more.yml', folder: join(folder, 'prod') })
      expect(await loadInventory([join(folder, 'prod/hosts.yml')], [])).toMatchObject({
        name: 'hosts.yml',
        folder: join(folder, 'prod'),
      })
    })
  })
})

describe('what is no mistake', () => {
  test.each([
    [
      'Go templates in text that a role passes on',
      'alertmanager: { config: { route: { receiver: a }, receivers: [{ name: a, text: \'{{ range .Alerts }}{{ .Labels.job }}{{ end }} {{ template "x" . }} {{ $v | humanize }} {{ externalURL }}\' }] } }',
    ],
    ['Jinja in a variable of the operator’s own', 'greeting: "hello {{ inventory_hostname }}"'],
    [
      'what is tagged !unsafe',
      'alertmanager: { config: { route: { receiver: a }, receivers: [{ name: a, text: !unsafe "{{ name }}" }] } }',
    ],
    ['a plain value under a name like a role’s', 'case: 1\nbases: [a]\nvestals: x'],
    [
      'a variable of Ansible that Vestal has no use for',
      'ansible_python_interpreter: /usr/bin/python3\nansible_shell_type: sh',
    ],
    ['a setting left empty', 'prometheus:\nvestal:\nansible_port:'],
  ])('%s', async (_, vars) => {
    const { hosts } = await load({ files: { 'hosts.yml': 'all: { hosts: web1 }', 'group_vars/all.yml': vars } })
    expect(hosts).toHaveLength(1)
  })
  test('settings that a host of no role overrides or lacks', async () => {
    const { hosts } = await load({
      files: {
        'hosts.yml': 'all: { children: { prometheus: { hosts: p1 }, other: { hosts: o1 } } }',
        'group_vars/prometheus.yml': 'prometheus: { version: 3.5.3 }',
      },
    })
    expect(hosts.map(({ vars }) => vars.prometheus)).toEqual([{ version: '3.5.3' }, undefined])
  })
  test('one address behind two jump hosts, or at two ports', async () => {
    const hosts = {
      p1: { ansible_host: '10.0.0.1', ansible_ssh_common_args: '-J site1' },
      p2: { ansible_host: '10.0.0.1', ansible_ssh_common_args: '-J site2', vestal: { address: '10.1.0.1' } },
      p3: { ansible_host: '10.0.0.1', ansible_port: 2222, vestal: { address: '10.1.0.2' } },
    }
    const inventory = await load({
      files: { 'hosts.yml': JSON.stringify({ prometheus: { hosts, vars: { prometheus: { version: '3.5.3' } } } }) },
    })
    expect(inventory.hosts.map(({ address }) => address)).toEqual(['10.0.0.1', '10.1.0.1', '10.1.0.2'])
  })
  test('rules and certificates in sub-folders, whatever they look like', async () => {
    const { hosts } = await load({
      files: {
        'hosts.yml': 'all: { hosts: web1 }',
        'rules/a.yml': 'groups: []\n---\n{{ broken',
        'tls/key': '\tnot yaml: [',
        '.vestal.lock.json': '{"releases": {"a": {}}}',
      },
    })
    expect(hosts.map(({ name }) => name)).toEqual(['web1'])
  })
})

test('mistakes in several files are told together, file by file', async () => {
  const broken = {
    'hosts.yml': 'all: { hosts: { web1: , "web[9:1]": }, vasr: {} }',
    'group_vars/all.yml': 'prometheus: { version: x }\nansible_prt: 1',
    'host_vars/web1.yml': 'a: [',
  }
  await expect(load({ files: broken })).rejects.toThrow(
    /hosts\.yml:1:25[\s\S]*hosts\.yml:1:40[\s\S]*web1\.yml:1:5[\s\S]*all\.yml:1:24[\s\S]*all\.yml:2:1/,
  )
})

describe('group_vars and host_vars beside playbooks', () => {
  const project = {
    'site.yml': '- name: all of it\n  hosts: all\n  roles: [x]\n',
    'group_vars/all.yml': 'ansible_user: deploy\nwho: playbook-all\n',
    'group_vars/web.yml': 'who: playbook-web\n',
    'host_vars/w2.yml': 'who: playbook-w2\n',
    'inventory/hosts.yml': 'web: { hosts: { w1: , w2: { who: inline } } }\n',
    'inventory/group_vars/web.yml': 'who: inventory-web\nother: 1\n',
    'inventory/host_vars/w1.yml': 'other: 2\n',
  }
  test('are read one folder above the inventory, and win over those beside it', async () => {
    const { hosts } = await load({ files: project, paths: ['inventory/hosts.yml'] })
    expect(hosts.map(({ link, vars }) => [link.user, vars.who, vars.other])).toEqual([
      ['deploy', 'playbook-web', 2],
      ['deploy', 'playbook-w2', 1],
    ])
  })
  test('are left alone where no playbook stands beside them', async () => {
    const files = { ...project, 'site.yml': 'plays: []\n' }
    const { hosts } = await load({ files, paths: ['inventory/hosts.yml'] })
    expect(hosts.map(({ vars }) => vars.who)).toEqual(['inventory-web', 'inline'])
  })
})
