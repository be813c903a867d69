import { describe, expect, test } from 'vitest'
import { type Case, errorIn, yaml } from './files.ts'

const table: Readonly<Record<string, Case & { readonly error: string }>> = {
  'an empty file': {
    files: {
      'hosts.yml': '# nothing yet\n',
    },
    error: [
      'hosts.yml: the inventory is empty',
      '  an inventory starts like this: all: { children: { prometheus: { hosts: { prom-1: {} } } } }',
    ].join('\n'),
  },
  'a list where groups belong': {
    files: {
      'hosts.yml': yaml`
        - web1
        - web2
      `,
    },
    error: [
      'hosts.yml:1:1: expected groups, got a list',
      '  an inventory starts like this: all: { children: { prometheus: { hosts: { prom-1: {} } } } }',
    ].join('\n'),
  },
  'no host at all': {
    files: {
      'hosts.yml': 'all: { children: { web: } }\n',
    },
    error: ['~: no host in this inventory', '  name one below `hosts:`'].join('\n'),
  },
  'a path where nothing is': {
    files: {},
    paths: ['inventory/prod'],
    error: 'inventory/prod: there is no such file or folder',
  },
  'a list of hosts instead of a path': {
    files: {},
    paths: ['web1,web2'],
    error: [
      'web1,web2: there is no such file or folder',
      '  give -i once for each path; host lists are not supported',
    ].join('\n'),
  },
  'an empty folder': {
    files: {
      'README.md': '',
    },
    error: ['~: no inventory file in this folder', '  add a hosts.yml'].join('\n'),
  },
  'an inventory script that may not be executed': {
    files: {
      hosts: yaml`
        #!/usr/bin/env python3
        print()
      `,
    },
    paths: ['hosts'],
    error: ['hosts: a script that may not be executed', '  chmod +x hosts'].join('\n'),
  },
  'the settings of an inventory plugin': {
    files: {
      'aws_ec2.yml': yaml`
        plugin: aws_ec2
        regions: [eu-west-1]
      `,
    },
    error: [
      'aws_ec2.yml:1:1: the inventory plugin aws_ec2 is not run here',
      '  copy it to an empty folder and there run ansible-inventory -i aws_ec2.yml --list --export > hosts.json; group_vars and vaults stay where they are',
    ].join('\n'),
  },
  'rules beside the inventory instead of in a sub-folder': {
    files: {
      'hosts.yml': 'all: { hosts: web1 }\n',
      'rules.yml': yaml`
        groups:
          - name: a
      `,
    },
    error: [
      'rules.yml:2:3: groups: expected a group (a mapping with hosts, children or vars), got a list',
      '  a file that is no inventory belongs into a sub-folder',
    ].join('\n'),
  },
  'two files for one group': {
    files: {
      'hosts.yml': 'all: { hosts: web1 }\n',
      'group_vars/all.yml': 'a: 1\n',
      'group_vars/all/b.yml': 'b: 1\n',
    },
    error: ['group_vars/all.yml: never read, because group_vars/all is there too', '  move it into that folder'].join(
      '\n',
    ),
  },
  'a file for a group that is almost there': {
    files: {
      'hosts.yml': 'prometheus: { hosts: p1 }\n',
      'group_vars/promethues.yml': 'a: 1\n',
      'group_vars/prometheus.yml': 'prometheus: { version: 3.5.3 }\n',
    },
    error: ['group_vars/promethues.yml: belongs to nothing; did you mean `prometheus`?', '  rename it'].join('\n'),
  },
  'a file for a host that is almost there': {
    files: {
      'hosts.yml': 'all: { hosts: database-a }\n',
      'host_vars/databse-a.yml': 'a: 1\n',
      'host_vars/elsewhere.yml': 'b: 1\n',
    },
    error: ['host_vars/databse-a.yml: belongs to nothing; did you mean `database-a`?', '  rename it'].join('\n'),
  },
  'variables that are a list': {
    files: {
      'hosts.yml': 'all: { hosts: web1 }\n',
      'host_vars/web1.yml': '- a\n',
    },
    error: 'host_vars/web1.yml:1:1: expected variables (a mapping of names to values)',
  },
  'YAML that is broken in host_vars': {
    files: {
      'hosts.yml': 'all: { hosts: web1 }\n',
      'host_vars/web1.yml': 'a: "b\n',
    },
    error: 'host_vars/web1.yml:1:4: a quote that is not closed',
  },
}

describe('mistakes in files and folders that are no inventory are told with their place', () => {
  test.each(Object.entries(table))('%s', async (_, { error, ...given }) => {
    expect(await errorIn(given)).toBe(error)
  })
})
