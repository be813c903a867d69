import { describe, expect, test } from 'vitest'
import { type Case, errorIn, yaml } from './files.ts'

const table: Readonly<Record<string, Case & { readonly error: string }>> = {
  'hosts written as a list': {
    files: {
      'hosts.yml': yaml`
        all:
          hosts:
            - web1
            - web2
      `,
    },
    error: [
      'hosts.yml:3:5: all.hosts: expected a mapping, got a list',
      '  write each name as a key, `name:` instead of `- name`',
    ].join('\n'),
  },
  'an unknown key in a group': {
    files: {
      'hosts.yml': yaml`
        all:
          childrens:
            web: { hosts: web1 }
      `,
    },
    error: 'hosts.yml:2:3: all: unknown key `childrens`; did you mean `children`?',
  },
  'a key in a group that is like nothing': {
    files: {
      'hosts.yml': yaml`
        all:
          machines:
            web1:
      `,
    },
    error: [
      'hosts.yml:2:3: all: unknown key `machines`',
      '  a group has hosts, children and vars; other groups stand under children, variables under vars',
    ].join('\n'),
  },
  'groups right below a group': {
    files: {
      'hosts.yml': yaml`
        all:
          hosts: { web1: }
          prometheus:
            hosts: { web2: }
      `,
    },
    error: [
      'hosts.yml:3:3: all: unknown key `prometheus`',
      '  a group has hosts, children and vars; other groups stand under children, variables under vars',
    ].join('\n'),
  },
  'a group that is text': {
    files: {
      'hosts.yml': yaml`
        all:
          children:
            web: web1
      `,
    },
    error: 'hosts.yml:3:10: all.children.web: expected a group (a mapping with hosts, children or vars), got text',
  },
  'a host that is its address': {
    files: {
      'hosts.yml': yaml`
        all:
          hosts:
            web1: 10.0.0.1
      `,
    },
    error: [
      "hosts.yml:3:11: all.hosts.web1: expected the host's variables (a mapping) or nothing, got text",
      '  write its address as a variable: web1: { ansible_host: 10.0.0.1 }',
    ].join('\n'),
  },
  'a host that is a list': {
    files: {
      'hosts.yml': yaml`
        all:
          hosts:
            web1: [10.0.0.1]
      `,
    },
    error: "hosts.yml:3:11: all.hosts.web1: expected the host's variables (a mapping) or nothing, got a list",
  },
  'variables as a list': {
    files: {
      'hosts.yml': yaml`
        all:
          vars:
            - a: 1
          hosts: web1
      `,
    },
    error: [
      'hosts.yml:3:5: all.vars: expected a mapping, got a list',
      '  write each name as a key, `name:` instead of `- name`',
    ].join('\n'),
  },
  'a host whose name is a number': {
    files: {
      'hosts.yml': yaml`
        all:
          hosts:
            10:
      `,
    },
    error: ["hosts.yml:3:5: all.hosts: a host's name must be text, got 10", '  put quotes around it'].join('\n'),
  },
  'a group whose name is a number': {
    files: {
      'hosts.yml': yaml`
        all:
          children:
            2024: { hosts: web1 }
      `,
    },
    error: ["hosts.yml:3:5: all.children: a group's name must be text, got 2024", '  put quotes around it'].join('\n'),
  },
  'a host name with a space': {
    files: {
      'hosts.yml': yaml`
        all:
          hosts:
            "web 1":
      `,
    },
    error: 'hosts.yml:3:5: all.hosts: `web 1`: a host name has no spaces, `/`, `[` or `]`',
  },
  'a host name that is no address': {
    files: {
      'hosts.yml': yaml`
        all:
          hosts:
            web1@home:
      `,
    },
    error: ['hosts.yml:3:5: `web1@home` is neither an IP address nor a host name', '  set ansible_host for it'].join(
      '\n',
    ),
  },
  'a group inside itself': {
    files: {
      'hosts.yml': yaml`
        a: { children: b }
        b: { children: { c: } }
        c: { children: { a: }, hosts: web1 }
      `,
    },
    error: 'hosts.yml:3:18: c.children: a group inside itself: c > a > b > c',
  },
  'a group that is its own child': {
    files: {
      'hosts.yml': 'a: { children: a, hosts: web1 }\n',
    },
    error: 'hosts.yml:1:16: a.children: a group inside itself: a > a',
  },
  'the group all as a child': {
    files: {
      'hosts.yml': 'a: { children: { all: { hosts: web1 } } }\n',
    },
    error: 'hosts.yml:1:18: a.children: the group `all` holds every group and stands in none',
  },
  'a name for a host and a group': {
    files: {
      'hosts.yml': yaml`
        prometheus:
          hosts:
            prometheus: { prometheus: { version: 3.5.3 } }
            other:
      `,
    },
    error: [
      'hosts.yml:3:5: `prometheus` is both a host with variables of its own and a group with other in it, to which Ansible gives them',
      '  rename one of them',
      'hosts.yml:4:5: other is in the group `prometheus`, without the variable `prometheus`',
      '  set prometheus: { … } for it, in group_vars/prometheus.yml for instance; needed: version',
    ].join('\n'),
  },
  'a priority that is no number': {
    files: {
      'hosts.yml': 'web: { hosts: web1, vars: { ansible_group_priority: high } }\n',
    },
    error: 'hosts.yml:1:53: ansible_group_priority: expected a whole number, got text',
  },
  'a range without end': {
    files: {
      'hosts.yml': 'all: { hosts: { "web[1:]": } }\n',
    },
    error: 'hosts.yml:1:17: all.hosts: `web[1:]`: a range needs its last value',
  },
  'a range backwards': {
    files: {
      'hosts.yml': 'all: { hosts: { "web[9:1]": , "web[c:a]": } }\n',
    },
    error: [
      'hosts.yml:1:17: all.hosts: `web[9:1]`: a range begins with its lower end',
      'hosts.yml:1:31: all.hosts: `web[c:a]`: a range begins with its lower end',
    ].join('\n'),
  },
  'a range with uneven zeros': {
    files: {
      'hosts.yml': 'all: { hosts: { "web[01:100]": } }\n',
    },
    error: 'hosts.yml:1:17: all.hosts: `web[01:100]`: a range with leading zeros needs ends of the same length',
  },
  'a range of words': {
    files: {
      'hosts.yml': 'all: { hosts: { "web[ab:cd]": } }\n',
    },
    error: 'hosts.yml:1:17: all.hosts: `web[ab:cd]`: the ends of a range are two numbers or two letters',
  },
  'a range with a comma': {
    files: {
      'hosts.yml': 'all: { hosts: { "web[1,3]": } }\n',
    },
    error: 'hosts.yml:1:17: all.hosts: `web[1,3]`: a range has the form [first:last] or [first:last:step]',
  },
  'a range with step zero': {
    files: {
      'hosts.yml': 'all: { hosts: { "web[1:9:0]": } }\n',
    },
    error: 'hosts.yml:1:17: all.hosts: `web[1:9:0]`: the step of a range is a whole number from 1 up',
  },
  'a range that is not closed': {
    files: {
      'hosts.yml': 'all: { hosts: { "web[1:9": } }\n',
    },
    error: 'hosts.yml:1:17: all.hosts: `web[1:9`: a range has the form [1:20], [01:20], [a:f] or [1:20:2]',
  },
  'a range of a million': {
    files: {
      'hosts.yml': 'all: { hosts: { "web[1:1000000]": } }\n',
    },
    error: 'hosts.yml:1:17: all.hosts: `web[1:1000000]`: a range of more than 100000 hosts',
  },
  'a port that is none': {
    files: {
      'hosts.yml': 'all: { hosts: { web1:70000: } }\n',
    },
    error: 'hosts.yml:1:17: all.hosts: `web1:70000`: a port is at most 65535',
  },
}

describe('mistakes in groups and hosts are told with their place', () => {
  test.each(Object.entries(table))('%s', async (_, { error, ...given }) => {
    expect(await errorIn(given)).toBe(error)
  })
})
