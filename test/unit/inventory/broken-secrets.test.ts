import { describe, expect, test } from 'vitest'
import { type Case, errorIn, yaml } from './files.ts'

const table: Readonly<Record<string, Case & { readonly error: string }>> = {
  'a variable of the environment that is not set': {
    files: {
      'hosts.yml': 'all: { hosts: { web1: { ansible_password: { $env: WEB1_PASSWORD } } } }\n',
    },
    error: [
      'hosts.yml:1:43: the environment variable WEB1_PASSWORD is not set',
      '  set it: export WEB1_PASSWORD=…',
    ].join('\n'),
  },
  'a file that is not there': {
    files: {
      'hosts.yml': 'all: { hosts: web1 }\n',
      'group_vars/all.yml': 'token: { $file: secrets/token }\n',
    },
    error: [
      'group_vars/all.yml:1:8: there is no file secrets/token',
      "  the path starts at this file's folder: group_vars/secrets/token",
    ].join('\n'),
  },
  'a secret where none belongs': {
    files: {
      'hosts.yml':
        'all: { hosts: { p1: { prometheus: { version: { $env: VERSION } }, ansible_host: { $env: VERSION } } } }\n',
    },
    env: { VERSION: 's3cr3t' },
    error: [
      'hosts.yml:1:46: prometheus.version: expected a version such as 3.5.3, got a secret',
      '  this setting is no secret: write it plainly',
      'hosts.yml:1:81: ansible_host: expected an IP address or a host name, without a port, got a secret',
      '  this setting is no secret: write it plainly',
    ].join('\n'),
  },
  'a secret that is a number': {
    files: {
      'hosts.yml':
        'all: { hosts: { p1: { prometheus: { version: 3.5.3, remote_write: [{ url: "http://a/", password: 123456 }] } } } }\n',
    },
    error:
      'hosts.yml:1:98: prometheus.remote_write.0.password: must be text, { $env: NAME } or { $file: path } (a number needs quotes)',
  },
  'a value beside a secret that must not be shown': {
    files: {
      'hosts.yml':
        'all: { hosts: { p1: { prometheus: { version: 3.5.3, remote_write: [{ url: "ftp://me:s3cr3t@a/", password: [s3cr3t] }], external_url: "ftp://me:s3cr3t@a/" } } } }\n',
    },
    error: [
      'hosts.yml:1:75: prometheus.remote_write.0.url: expected a URL such as https://prometheus.example.net/path, got "ftp://[secret]@a/"',
      'hosts.yml:1:107: prometheus.remote_write.0.password: must be text, { $env: NAME } or { $file: path } (a number needs quotes)',
      'hosts.yml:1:134: prometheus.external_url: expected a URL such as https://prometheus.example.net/path, got "ftp://[secret]@a/"',
    ].join('\n'),
  },
  'a reference to neither': {
    files: {
      'hosts.yml':
        'all: { hosts: { p1: { prometheus: { version: 3.5.3, remote_write: [{ url: "http://a/", password: { $var: x } }] } } } }\n',
    },
    error:
      'hosts.yml:1:98: prometheus.remote_write.0.password: must be text, { $env: NAME } or { $file: path } (a number needs quotes)',
  },
  'a vault without a password': {
    files: {
      'hosts.yml': yaml`
        all:
          hosts:
            web1:
              ansible_password: !vault |
                $ANSIBLE_VAULT;1.1;AES256
                3132
      `,
    },
    error: [
      'hosts.yml:4:32: there is no vault password',
      '  put the password into a file and set ANSIBLE_VAULT_PASSWORD_FILE to its path (or use ~/.vault_pass)',
    ].join('\n'),
  },
  'a vault password file that is not there': {
    files: {
      'hosts.yml': yaml`
        all:
          hosts:
            web1:
              ansible_password: !vault |
                $ANSIBLE_VAULT;1.1;AES256
                3132
      `,
    },
    env: { ANSIBLE_VAULT_PASSWORD_FILE: '/nonexistent/pass' },
    error: [
      'hosts.yml:4:32: ANSIBLE_VAULT_PASSWORD_FILE names /nonexistent/pass, which is no file',
      '  put the password into a file and set ANSIBLE_VAULT_PASSWORD_FILE to its path (or use ~/.vault_pass)',
    ].join('\n'),
  },
  'a vault that is damaged': {
    files: {
      '.vault_pass': 'x\n',
      'hosts.yml': yaml`
        all:
          hosts:
            web1:
              ansible_password: !vault |
                $ANSIBLE_VAULT;1.1;AES256
                3132
              token: !vault zzz
      `,
    },
    error: [
      'hosts.yml:4:32: the vault is damaged',
      '  encrypt it again with ansible-vault',
      'hosts.yml:7:21: a vault of the kind `zzz`',
      '  encrypt it again with ansible-vault (AES256)',
    ].join('\n'),
  },
  'a file that is a vault, without a password': {
    files: {
      'hosts.yml': 'all: { hosts: web1 }\n',
      'group_vars/all/vault.yml': yaml`
        $ANSIBLE_VAULT;1.1;AES256
        3132
      `,
    },
    error: [
      'group_vars/all/vault.yml: there is no vault password',
      '  put the password into a file and set ANSIBLE_VAULT_PASSWORD_FILE to its path (or use ~/.vault_pass)',
    ].join('\n'),
  },
}

describe('mistakes in secrets are told with their place', () => {
  test.each(Object.entries(table))('%s', async (_, { error, ...given }) => {
    expect(await errorIn(given)).toBe(error)
  })
})
