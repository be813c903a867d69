import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { inventoryJson } from '../../../../lib/inventory/json.ts'
import { Secret } from '../../../../lib/secret.ts'
import { errorIn, load, yaml } from '../files.ts'

const files = {
  'hosts.yml': yaml`
    prometheus:
      hosts: p1
      vars:
        ansible_user: ops
        ansible_password: plain-hush
        ansible_become: true
        ansible_become_pass: { $env: SUDO }
        ansible_ssh_private_key_passphrase: plain-hush-2
        token: { $file: secrets/token }
        not_a_reference: { $env: SUDO, more: 1 }
  `,
  'group_vars/prometheus.yml': yaml`
    prometheus:
      version: 3.5.3
      remote_write:
        - { url: "https://example.net/", password: { $file: ../secrets/token } }
        - { url: "https://example.net/", password: plain-hush-3 }
  `,
  'secrets/token': 'file-hush\n\n',
}
const env = { SUDO: 'env-hush' }
const reveal = (value: unknown): unknown => (value instanceof Secret ? value.reveal() : value)

describe('a secret', () => {
  test('is read from the environment, a file beside the one that names it, or plain text', async () => {
    const [host] = (await load({ files, env })).hosts
    expect(reveal(host?.vars.token)).toBe('file-hush\n')
    expect(reveal(host?.link.password)).toBe('plain-hush')
    expect(reveal(host?.link.passphrase)).toBe('plain-hush-2')
    expect(reveal(host?.link.become?.password)).toBe('env-hush')
    expect(host?.vars.not_a_reference).toEqual({ $env: 'SUDO', more: 1 })
  })
  test('never prints, however the inventory is shown', async () => {
    const inventory = await load({ files, env })
    const { not_a_reference: _, ...shown } = inventory.hosts[0]?.vars ?? {}
    const text = [
      JSON.stringify(inventory),
      inspect(inventory, { depth: 20 }),
      String(Object.values(shown)),
      JSON.stringify(inventoryJson(inventory)),
    ]
    expect(text.join('\n')).not.toMatch(/hush/)
  })
  test('shows in the JSON as the reference that was written, or not at all', async () => {
    const { p1 } = inventoryJson(await load({ files, env }))._meta.hostvars
    expect(p1).toMatchObject({
      ansible_password: '[secret]',
      ansible_become_pass: { $env: 'SUDO' },
      token: { $file: 'secrets/token' },
      prometheus: { remote_write: [{ password: { $file: '../secrets/token' } }, { password: '[secret]' }] },
    })
  })
  test('shows in no error about what stands around it', async () => {
    const broken = {
      ...files,
      'group_vars/prometheus.yml': `${files['group_vars/prometheus.yml']}  password: plain-hush-4\n  port: { $env: SUDO }\n`,
    }
    const error = await errorIn({ files: broken, env })
    expect(error).toContain('unknown key `password`')
    expect(error).toContain('prometheus.port: expected a port from 1 to 65535, got a secret')
    expect(error).not.toMatch(/hush/)
  })
})
