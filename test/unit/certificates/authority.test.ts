import { createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeAuthority, openAuthority, readAuthority, rotateStep } from '../../../lib/certificates/authority.ts'
import { beginOf, certificatesIn, endOf, isIssuedBy, namesIn } from '../../../lib/certificates/certificate.ts'
import { openVault } from '../../../lib/inventory/yaml/vault.ts'
import { anAuthority, aServer, DAY_MS, place } from './authorities.ts'

const settings = { ms: 365 * DAY_MS }

test('an authority is made once, and its key is a vault that the password opens', async () => {
  using at = place()
  expect(readAuthority(at)).toBeUndefined()
  const made = await makeAuthority(at, { ...settings, env: at.env })
  expect(readAuthority(at)).toEqual(made)
  const key = join(made.folder, '1.key')
  expect(readFileSync(key, 'utf8')).toMatch(/^\$ANSIBLE_VAULT;1\.1;AES256\n/)
  expect(statSync(key).mode & 0o077).toBe(0)
  expect(openVault(readFileSync(key, 'utf8'), Buffer.from('open sesame'))).toContain('BEGIN PRIVATE KEY')
  expect(String(openAuthority(made, at.env).key)).toBe('[secret]')
  await expect(makeAuthority(at, { ...settings, env: at.env })).rejects.toThrow('there is an authority already')
})

test('without the password, with another one, or with another key, it is refused and nothing is written', async () => {
  using at = place()
  using other = place('another')
  await expect(makeAuthority(at, { ...settings, env: { HOME: at.folder } })).rejects.toThrow('no vault password')
  expect(existsSync(join(at.folder, 'authority'))).toBe(false)
  const made = await makeAuthority(at, { ...settings, env: at.env })
  expect(() => openAuthority(made, other.env)).toThrow('does not open this')
  const foreign = await makeAuthority(other, { ...settings, env: at.env })
  writeFileSync(join(made.folder, '1.key'), readFileSync(join(foreign.folder, '1.key')))
  expect(() => openAuthority(made, at.env)).toThrow('is not the key of 1.crt')
})

test.each([
  ['{', 'is none that Vestal has written'],
  ['{"vestal":"authority/1","issuing":"2","trusted":["1"]}', 'says that 2 issues'],
  ['{"vestal":"authority/1","issuing":"../x","trusted":["../x"]}', 'is none that Vestal has written'],
  ['{"vestal":"authority/1","issuing":"7","trusted":["7"]}', '7.crt: is not there'],
])('what is damaged beside the inventory is told: %s', async (text, why) => {
  using at = place()
  const { folder } = await makeAuthority(at, { ...settings, env: at.env })
  writeFileSync(join(folder, 'authority.json'), text)
  expect(() => readAuthority(at)).toThrow(why)
})

test('a rotation trusts both, then lets the new one issue, then drops the old one with its key', async () => {
  using at = place()
  await makeAuthority(at, { ...settings, env: at.env })
  const step = () => rotateStep(at, { ...settings, env: at.env })
  expect(await step()).toMatchObject({ issuing: '1', trusted: ['1', '2'] })
  const both = await step()
  expect(both).toMatchObject({ issuing: '2', trusted: ['1', '2'] })
  expect(certificatesIn(both.bundle)).toHaveLength(2)
  const { folder, ...last } = await step()
  expect(last).toMatchObject({ issuing: '2', trusted: ['2'] })
  expect(readdirSync(folder).sort()).toEqual(['2.crt', '2.key', 'authority.json'])
})

test('a certificate is made out to names and addresses, with a key of its own, and ends no later than its authority', async () => {
  const [authority, other] = [await anAuthority(), await anAuthority('another')]
  const made = await aServer(authority, ['am-1.example', '10.0.0.1', 'fd00::1'], 9_999 * DAY_MS)
  const [leaf] = certificatesIn(made.certificate)
  if (!leaf) throw new Error('none')
  expect(namesIn(leaf)).toEqual(['10.0.0.1', 'am-1.example', 'fd00::1'])
  expect(endOf(leaf)).toEqual(endOf(new X509Certificate(authority.certificate)))
  expect(beginOf(leaf).getTime()).toBeLessThan(Date.now() - 3_000_000)
  expect(leaf.checkPrivateKey(createPrivateKey(made.key.reveal()))).toBe(true)
  expect(isIssuedBy(leaf, certificatesIn(authority.certificate))).toBe(true)
  expect(isIssuedBy(leaf, certificatesIn(other.certificate))).toBe(false)
  expect(leaf.ca).toBe(false)
})
