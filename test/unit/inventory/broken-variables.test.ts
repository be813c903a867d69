import { describe, expect, test } from 'vitest'
import { type Case, errorIn, yaml } from './files.ts'

const table: Readonly<Record<string, Case & { readonly error: string }>> = {
  'a misspelt setting': {
    files: {
      'hosts.yml': yaml`
        prometheus:
          hosts: p1
          vars:
            prometheus:
              version: 3.5.3
              retenton: 15d
      `,
    },
    error: 'hosts.yml:6:7: prometheus: unknown key `retenton`; did you mean `retention`?',
  },
  'an unknown setting': {
    files: {
      'hosts.yml': yaml`
        all:
          hosts:
            web1: { node_exporter: { listeners: 2 } }
      `,
    },
    error: ['hosts.yml:3:30: node_exporter: unknown key `listeners`', '  known here: port, collectors'].join('\n'),
  },
  'a misspelt role': {
    files: {
      'hosts.yml': yaml`
        all:
          hosts:
            web1: { promethues: { version: 3.5.3 } }
      `,
    },
    error: 'hosts.yml:3:13: unknown variable `promethues`; did you mean `prometheus`?',
  },
  'a misspelt vestal': {
    files: {
      'hosts.yml': 'all: { hosts: web1, vars: { vestl: { arch: arm64 } } }\n',
    },
    error: 'hosts.yml:1:29: unknown variable `vestl`; did you mean `vestal`?',
  },
  'a value that fits nothing, reached through many hosts': {
    files: {
      'hosts.yml': 'prometheus: { hosts: { "p[1:50]": } }\n',
      'group_vars/prometheus.yml': yaml`
        prometheus:
          version: 3.5.3
          retention: 15 days
      `,
    },
    error:
      'group_vars/prometheus.yml:3:14: prometheus.retention: expected a duration such as 500ms, 15s, 5m, 1m30s, 2h, 15d or 1y, got "15 days"',
  },
  'a version that YAML takes for a number': {
    files: {
      'hosts.yml': 'all: { hosts: { p1: { prometheus: { version: 3.5 } } } }\n',
    },
    error: 'hosts.yml:1:46: prometheus.version: expected a version such as 3.5.3, got 3.5',
  },
  'a version with two v': {
    files: {
      'hosts.yml': 'all: { hosts: { p1: { prometheus: { version: vv3.5.3 } } } }\n',
    },
    error: 'hosts.yml:1:46: prometheus.version: expected a version such as 3.5.3, got "vv3.5.3"',
  },
  'a setting that is needed': {
    files: {
      'hosts.yml': 'all: { hosts: { p1: { prometheus: { retention: 15d } } } }\n',
    },
    error: 'hosts.yml:1:23: prometheus: `version` is missing; expected a version such as 3.5.3',
  },
  "no settings in a role's own group": {
    files: {
      'hosts.yml': yaml`
        all:
          children:
            prometheus:
              hosts:
                p1:
                p2:
                p3: { prometheus: }
      `,
    },
    error: [
      'hosts.yml:5:9: p1 and 2 more are in the group `prometheus`, without the variable `prometheus`',
      '  set prometheus: { … } for it, in group_vars/prometheus.yml for instance; needed: version',
    ].join('\n'),
  },
  'several at once': {
    files: {
      'hosts.yml': yaml`
        all:
          hosts:
            p1:
              prometheus:
                version: 3.5.3
                port: 99999
                replicas: 0
                level: verbose
                labels: { a-b: x, ok: 1 }
                external_url: example.net
                retention_size: 5 GB
                compact: maybe
                ratio: 1.5
      `,
    },
    error: [
      'hosts.yml:6:15: prometheus.port: expected a port from 1 to 65535, got 99999',
      'hosts.yml:7:19: prometheus.replicas: expected at least 1, got 0',
      'hosts.yml:8:16: prometheus.level: expected one of info, debug, got "verbose"',
      'hosts.yml:9:19: prometheus.labels.a-b: expected a label name: letters, digits and _, not starting with a digit or __, got `a-b`',
      'hosts.yml:9:31: prometheus.labels.ok: expected text (a number or true/false needs quotes), got 1',
      'hosts.yml:10:23: prometheus.external_url: expected a URL such as https://prometheus.example.net/path, got "example.net"',
      'hosts.yml:11:25: prometheus.retention_size: expected a size such as 512MiB or 2GiB (B, KiB, MiB, GiB, TiB), got "5 GB"',
      'hosts.yml:12:18: prometheus.compact: expected true or false, got "maybe"',
      'hosts.yml:13:16: prometheus.ratio: expected less than 1, got 1.5',
    ].join('\n'),
  },
  'mistakes inside a list': {
    files: {
      'hosts.yml': yaml`
        all:
          hosts:
            p1:
              prometheus:
                version: 3.5.3
                remote_write:
                  - url: ftp://example.net
                    listen: example.net
                  - { uri: http://example.net/ }
      `,
    },
    error: [
      'hosts.yml:7:18: prometheus.remote_write.0.url: expected a URL such as https://prometheus.example.net/path, got "ftp://example.net"',
      'hosts.yml:8:21: prometheus.remote_write.0.listen: expected an address and port such as 0.0.0.0:9090 or [::]:9090, got "example.net"',
      'hosts.yml:9:13: prometheus.remote_write.1: `url` is missing; expected a URL such as https://prometheus.example.net/path',
      'hosts.yml:9:15: prometheus.remote_write.1: unknown key `uri`; did you mean `url`?',
    ].join('\n'),
  },
  'too long a list': {
    files: {
      'hosts.yml':
        'all: { hosts: { p1: { prometheus: { version: 3.5.3, remote_write: [{ url: "http://a/" }, { url: "http://b/" }, { url: "http://c/" }] } } } }\n',
    },
    error: 'hosts.yml:1:67: prometheus.remote_write: expected at most 2 entries, got 3',
  },
  'one of several forms, with a mistake': {
    files: {
      'hosts.yml': 'all: { hosts: { p1: { prometheus: { version: 3.5.3, web: { cert: cert.pem, mode: 0640 } } } } }\n',
    },
    error: [
      'hosts.yml:1:66: prometheus.web.cert: expected an absolute path such as /var/lib/prometheus, without . or .. in it and without / at its end, got "cert.pem"',
      "hosts.yml:1:82: prometheus.web.mode: expected a file mode of four digits in quotes, such as '0640', got 0640",
    ].join('\n'),
  },
  'none of several forms': {
    files: {
      'hosts.yml': 'all: { hosts: { p1: { prometheus: { version: 3.5.3, web: 8080 } } } }\n',
    },
    error:
      'hosts.yml:1:58: prometheus.web: expected an absolute path such as /var/lib/prometheus, without . or .. in it and without / at its end, or a mapping, got 8080',
  },
  'settings that are text': {
    files: {
      'hosts.yml': 'all: { hosts: { p1: { prometheus: 3.5.3 } } }\n',
    },
    error: 'hosts.yml:1:35: prometheus: expected a mapping, got text',
  },
  'a name that stands nowhere': {
    files: {
      'hosts.yml': yaml`
        all:
          hosts: am1
          vars:
            alertmanager:
              config:
                route: { receiver: pager }
                receivers: [{ name: webhook }]
      `,
    },
    error: 'hosts.yml:6:28: alertmanager.config.route.receiver: no receiver is called that',
  },
  'text that is a number': {
    files: {
      'hosts.yml': 'all: { hosts: { am1: { alertmanager: { config: { route: {}, receivers: [{ name: 7 }] } } } } }\n',
    },
    error: [
      'hosts.yml:1:81: alertmanager.config.receivers.0.name: expected text, got 7',
      '  put quotes around it',
    ].join('\n'),
  },
  'Jinja in a setting': {
    files: {
      'hosts.yml': yaml`
        all:
          hosts:
            p1:
              prometheus:
                version: "{{ prometheus_version }}"
                remote_write: [{ url: "http://a/", password: "{{ vault_password }}" }]
      `,
    },
    error: [
      'hosts.yml:5:18: prometheus.version: this template has no value for p1: `prometheus_version` is not defined for this host',
      '  write the value itself; for a secret { $env: NAME } or { $file: path }',
      'hosts.yml:6:54: prometheus.remote_write.0.password: this template has no value for p1: `vault_password` is not defined for this host',
      '  write the value itself; for a secret { $env: NAME } or { $file: path }',
    ].join('\n'),
  },
  'a machine of an unknown kind': {
    files: {
      'hosts.yml': 'all: { hosts: web1, vars: { vestal: { arch: mips, keepReleases: -1 } } }\n',
    },
    error: [
      'hosts.yml:1:45: vestal.arch: expected one of amd64, arm64, armv7, got "mips"',
      'hosts.yml:1:65: vestal.keepReleases: expected at least 0, got -1',
    ].join('\n'),
  },
  'releases from nowhere': {
    files: {
      'hosts.yml': yaml`
        all:
          hosts:
            a: { vestal: { releases: "https://mirror/{product}/{version}" } }
            b: { vestal: { releases: "https://mirror/latest.tar.gz" } }
            c: { vestal: { releases: "file:releases" } }
            d: { vestal: { releases: /srv/releases } }
      `,
    },
    error: [
      'hosts.yml:3:30: vestal.releases: knows no {product}; there are {owner} {repo} {name} {version} {os} {arch}',
      'hosts.yml:4:30: vestal.releases: expected {version} in it, for the version of each role, got "https://mirror/latest.tar.gz"',
      'hosts.yml:5:30: vestal.releases: expected an absolute path after file:, as in file:/srv/releases, got "file:releases"',
      'hosts.yml:6:30: vestal.releases: expected a URL (http, https) or file:/folder, got "/srv/releases"',
    ].join('\n'),
  },
  'an error in what an alias repeats': {
    files: {
      'hosts.yml': yaml`
        all:
          vars:
            common: &common { version: 3.5.3, port: none }
          hosts:
            p1: { prometheus: *common }
            p2:
              prometheus: { <<: *common, level: loud }
      `,
    },
    error: [
      'hosts.yml:3:45: prometheus.port: expected a port from 1 to 65535, got "none"',
      'hosts.yml:7:41: prometheus.level: expected one of info, debug, got "loud"',
    ].join('\n'),
  },
}

describe("mistakes in roles' settings are told with their place", () => {
  test.each(Object.entries(table))('%s', async (_, { error, ...given }) => {
    expect(await errorIn(given)).toBe(error)
  })
})
