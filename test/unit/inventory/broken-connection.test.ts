import { describe, expect, test } from 'vitest'
import { type Case, errorIn, yaml } from './files.ts'

const table: Readonly<Record<string, Case & { readonly error: string }>> = {
  'a misspelt variable of Ansible': {
    files: {
      'hosts.yml':
        'all: { hosts: { web1: { ansible_hots: 10.0.0.1, ansible_ssh_privat_key_file: a, ansible_usr: x, ansible_our_own: 1 } } }\n',
    },
    error: [
      'hosts.yml:1:25: unknown variable `ansible_hots`; did you mean `ansible_host`?',
      'hosts.yml:1:49: unknown variable `ansible_ssh_privat_key_file`; did you mean `ansible_ssh_private_key_file`?',
      'hosts.yml:1:81: unknown variable `ansible_usr`; did you mean `ansible_user`?',
    ].join('\n'),
  },
  'an address with a port': {
    files: {
      'hosts.yml': 'all: { hosts: { web1: { ansible_host: "10.0.0.1:22" } } }\n',
    },
    error: 'hosts.yml:1:39: ansible_host: expected an IP address or a host name, without a port, got "10.0.0.1:22"',
  },
  'an address that is none': {
    files: {
      'hosts.yml': 'all: { hosts: { web1: { ansible_host: 10.0.0.256 } } }\n',
    },
    error: 'hosts.yml:1:39: ansible_host: expected an IP address or a host name, without a port, got "10.0.0.256"',
  },
  'a port that is text': {
    files: {
      'hosts.yml': 'all: { hosts: { web1: { ansible_port: ssh } } }\n',
    },
    error: 'hosts.yml:1:39: ansible_port: expected a port from 1 to 65535, got "ssh"',
  },
  'a connection that is not supported': {
    files: {
      'hosts.yml': 'all: { hosts: { web1: { ansible_connection: winrm } } }\n',
    },
    error: 'hosts.yml:1:45: ansible_connection: expected ssh or local, the connections that are supported, got "winrm"',
  },
  'a way to become root that is not supported': {
    files: {
      'hosts.yml': 'all: { hosts: { web1: { ansible_become: true, ansible_become_method: su } } }\n',
    },
    error:
      'hosts.yml:1:70: ansible_become_method: expected sudo, the one way to become another user that is supported, got "su"',
  },
  'become that is neither true nor false': {
    files: {
      'hosts.yml': 'all: { hosts: { web1: { ansible_become: root } } }\n',
    },
    error: 'hosts.yml:1:41: ansible_become: expected true or false, got "root"',
  },
  'a password that is a number': {
    files: {
      'hosts.yml': 'all: { hosts: { web1: { ansible_password: 123456, ansible_become_password: [a] } } }\n',
    },
    error: [
      'hosts.yml:1:43: ansible_password: must be text, { $env: NAME } or { $file: path } (a number needs quotes)',
      'hosts.yml:1:76: ansible_become_password: must be text, { $env: NAME } or { $file: path } (a number needs quotes)',
    ].join('\n'),
  },
  'a user that is a number': {
    files: {
      'hosts.yml': 'all: { hosts: { web1: { ansible_user: 1000 } } }\n',
    },
    error: ['hosts.yml:1:39: ansible_user: expected text, got 1000', '  put quotes around it'].join('\n'),
  },
  'a time limit that is none': {
    files: {
      'hosts.yml': 'all: { hosts: { web1: { ansible_timeout: 10s } } }\n',
    },
    error: 'hosts.yml:1:42: ansible_timeout: expected a number of seconds, got "10s"',
  },
  'Jinja in an address': {
    files: {
      'hosts.yml': 'all: { vars: { ansible_host: "{{ nowhere | ipaddr }}.example.net" }, hosts: { web1: , web2: } }\n',
    },
    error: [
      'hosts.yml:1:30: ansible_host: this template has no value for web1: unknown filter: filter ipaddr is unknown',
      '  write the value itself; for a secret { $env: NAME } or { $file: path }',
      'hosts.yml:1:30: ansible_host: this template has no value for web2: unknown filter: filter ipaddr is unknown',
      '  write the value itself; for a secret { $env: NAME } or { $file: path }',
    ].join('\n'),
  },
  'options of ssh with values that make no sense': {
    files: {
      'hosts.yml': yaml`
        all:
          hosts:
            a: { ansible_ssh_common_args: -o ProxyJump=a@b@c:x }
            b: { ansible_ssh_common_args: -o ForkAfterAuthentication=yes }
            c: { ansible_ssh_extra_args: -o ConnectTimeout=soon }
            d: { ansible_ssh_args: -o StrictHostKeyChecking=maybe -p 22 }
            e: { ansible_ssh_args: -p 70000 }`,
    },
    error: [
      'hosts.yml:3:35: ansible_ssh_common_args: ProxyJump: expected [user@]host[:port], several with commas between, got `a@b@c:x`',
      'hosts.yml:4:35: ansible_ssh_common_args: ForkAfterAuthentication is not supported: Vestal must see when its link ends, got `yes`',
      'hosts.yml:5:34: ansible_ssh_extra_args: ConnectTimeout: expected a time in seconds, such as 30 or 1m, got `soon`',
      'hosts.yml:6:28: ansible_ssh_args: StrictHostKeyChecking: expected one of yes, no, ask, accept-new, off, true, false, got `maybe`',
      'hosts.yml:7:28: ansible_ssh_args: Port: expected 1 to 65535, got `70000`',
    ].join('\n'),
  },
  'options of ssh that cannot be obeyed': {
    files: {
      'hosts.yml': yaml`
        all:
          hosts:
            a: { ansible_ssh_common_args: -L 80:localhost:80 }
            b: { ansible_ssh_common_args: -o Compression }
            c: { ansible_ssh_extra_args: -J }
            d: { ansible_ssh_extra_args: bastion }
            e: { ansible_ssh_args: "-o User='x" }
      `,
    },
    error: [
      'hosts.yml:3:35: ansible_ssh_common_args: the option -L of ssh is not supported',
      'hosts.yml:4:35: ansible_ssh_common_args: `-o Compression` is not of the form -o Name=value',
      'hosts.yml:5:34: ansible_ssh_extra_args: the option -J needs a value',
      'hosts.yml:6:34: ansible_ssh_extra_args: `bastion` is no option of ssh',
      'hosts.yml:7:28: ansible_ssh_args: a quote that is not closed',
    ].join('\n'),
  },
  'a key in the inventory': {
    files: {
      'hosts.yml': 'all: { hosts: { web1: { ansible_ssh_private_key: "-----BEGIN" } } }\n',
    },
    error:
      'hosts.yml:1:50: ansible_ssh_private_key: a key inside the inventory is not supported; set ansible_ssh_private_key_file',
  },
  'two names for one machine': {
    files: {
      'hosts.yml': yaml`
        prometheus:
          hosts:
            p1: { ansible_host: 10.0.0.1 }
            p2: { ansible_host: 10.0.0.1 }
          vars: { prometheus: { version: 3.5.3 } }
      `,
    },
    error: [
      'hosts.yml:4:5: p2 is the same machine as p1: 10.0.0.1, port 22',
      '  keep one of the two names, or correct the address; for another Prometheus on the machine, name it by vestal: { instance: … }',
    ].join('\n'),
  },
}

describe('mistakes in connection variables are told with their place', () => {
  test.each(Object.entries(table))('%s', async (_, { error, ...given }) => {
    expect(await errorIn(given)).toBe(error)
  })
})
