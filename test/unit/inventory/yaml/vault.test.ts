import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openVault, VaultError } from '../../../../lib/inventory/yaml/vault.ts'
import { Secret } from '../../../../lib/secret.ts'
import { ansibleVault, installAnsible } from '../ansible.ts'
import { load } from '../files.ts'

const temp = mkdtempSync(join(tmpdir(), 'vestal-vault-'))
const passwordFile = join(temp, 'password')
const PASSWORD = 'käse & $wiss'
const PLAIN = 'grün: "quoted" \\ and $dollar\nsecond line\n'
let inText = ''
let withId = ''
let wholeFile = ''

beforeAll(() => {
  installAnsible()
  writeFileSync(passwordFile, `${PASSWORD}\n`)
  const encrypt = (...more: string[]) =>
    ansibleVault(['encrypt_string', '--vault-password-file', passwordFile, '--stdin-name', 'token', ...more], PLAIN)
  inText = encrypt()
  withId = encrypt('--vault-id', `prod@${passwordFile}`, '--encrypt-vault-id', 'prod')
  writeFileSync(join(temp, 'plain.yml'), 'ansible_become_password: hush\nnested: { token: hush, count: 3 }\n')
  ansibleVault(['encrypt', '--vault-password-file', passwordFile, join(temp, 'plain.yml')])
  wholeFile = readFileSync(join(temp, 'plain.yml'), 'utf8')
}, 600_000)
afterAll(() => rmSync(temp, { recursive: true }))

const envelope = (yaml: string): string => yaml.slice(yaml.indexOf('$ANSIBLE_VAULT')).replace(/^ +/gm, '')
const password = Buffer.from(PASSWORD)
const env = { ANSIBLE_VAULT_PASSWORD_FILE: passwordFile }
const hostsOf = (variable: string) => `all:\n  hosts: web1\n  vars:\n    ${variable.replace(/\n(?=.)/g, '\n    ')}`
const reveal = (value: unknown): unknown => (value instanceof Secret ? value.reveal() : value)

describe('what ansible-vault encrypted', () => {
  test('opens with its password', () => {
    expect(inText).toContain('$ANSIBLE_VAULT;1.1;AES256')
    expect(openVault(envelope(inText), password)).toBe(PLAIN)
  })
  test('opens with a vault id in it', () => {
    expect(withId).toContain('$ANSIBLE_VAULT;1.2;AES256;prod')
    expect(openVault(envelope(withId), password)).toBe(PLAIN)
  })
  test('stays shut for any other password', () => {
    fc.assert(
      fc.property(
        fc.string().filter((other) => other !== PASSWORD),
        (other) => {
          expect(() => openVault(envelope(inText), Buffer.from(other))).toThrow('the vault password does not open this')
        },
      ),
      { numRuns: 20 },
    )
  })
  test('is refused when a digit of it was changed', () => {
    const text = envelope(inText)
    const at = text.length - 20
    const other = text[at] === '1' ? '2' : '1'
    expect(() => openVault(text.slice(0, at) + other + text.slice(at + 1), password)).toThrow(VaultError)
  })
  test('of an older kind is refused by name', () => {
    expect(() => openVault('$ANSIBLE_VAULT;1.0;AES\n3132', password)).toThrow(
      'a vault of the kind `$ANSIBLE_VAULT;1.0;AES`',
    )
  })
})

describe('in an inventory', () => {
  test('a vaulted value is a secret', async () => {
    const { hosts } = await load({ files: { 'hosts.yml': hostsOf(inText) }, env })
    const token = hosts[0]?.vars.token
    expect(token).toBeInstanceOf(Secret)
    expect(reveal(token)).toBe(PLAIN)
    expect(JSON.stringify(hosts)).not.toContain('grün')
  })
  test('every text in a vaulted file is a secret, and numbers are not', async () => {
    const { hosts } = await load({
      files: { 'hosts.yml': 'all: { hosts: web1 }', 'group_vars/all/vault.yml': wholeFile },
      env,
    })
    const { nested, ansible_become_password: sudo } = hosts[0]?.vars ?? {}
    expect(reveal(sudo)).toBe('hush')
    expect(nested).toEqual({ token: expect.any(Secret), count: 3 })
    expect(JSON.stringify(hosts)).not.toContain('hush')
  })
  test('the password may come from a script', async () => {
    const script = join(temp, 'script')
    writeFileSync(script, `#!/bin/sh\ncat '${passwordFile}'\n`)
    chmodSync(script, 0o755)
    const { hosts } = await load({
      files: { 'hosts.yml': hostsOf(inText) },
      env: { ANSIBLE_VAULT_PASSWORD_FILE: script, PATH: process.env.PATH },
    })
    expect(reveal(hosts[0]?.vars.token)).toBe(PLAIN)
  })
  test('a script that fails says so', async () => {
    const script = join(temp, 'failing')
    writeFileSync(script, '#!/bin/sh\nexit 3\n')
    chmodSync(script, 0o755)
    await expect(
      load({ files: { 'hosts.yml': hostsOf(inText) }, env: { ANSIBLE_VAULT_PASSWORD_FILE: script } }),
    ).rejects.toThrow(`the vault password script ${script} failed: exit code 3`)
  })
  test('~/.vault_pass is the password where nothing else is said', async () => {
    const { hosts } = await load({ files: { 'hosts.yml': hostsOf(inText), '.vault_pass': `${PASSWORD}\n` } })
    expect(reveal(hosts[0]?.vars.token)).toBe(PLAIN)
  })
  test('a missing password is told once for many vaulted values', async () => {
    const two = hostsOf(`${inText}\n${inText.replace('token', 'other')}`)
    const error = await load({ files: { 'hosts.yml': two } }).catch((thrown: Error) => thrown)
    expect(String(error).match(/there is no vault password/g)).toHaveLength(1)
  })
})
