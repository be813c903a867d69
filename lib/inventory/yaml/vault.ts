import { spawnSync } from 'node:child_process'
import { createCipheriv, createDecipheriv, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** Why a vault could not be opened; `fix` says what to do. Holds no part of the vault or its password. */
export class VaultError extends Error {
  override readonly name = 'VaultError'
  readonly fix: string
  constructor(what: string, fix: string) {
    super(what)
    this.fix = fix
  }
}

export const isVault = (text: string): boolean => text.trimStart().startsWith('$ANSIBLE_VAULT;')

/**
 * Opens ansible-vault text, formats 1.1 and 1.2 (AES256); a vault id is read over, as there is one password.
 * Layout: header line, then hex of `hex(salt)\nhex(hmac)\nhex(ciphertext)`; PBKDF2-SHA256 with 10,000 rounds gives cipher key,
 * HMAC key and counter; AES-256-CTR over PKCS#7. Source: ansible-core, lib/ansible/parsing/vault/__init__.py.
 * Throws VaultError when the text is damaged or the password is another.
 */
export const openVault = (text: string, password: Uint8Array): string => {
  const [header = '', ...body] = text.trim().split(/\s*\n\s*/)
  const [, format, cipher] = header.split(';')
  if (!['1.1', '1.2'].includes(format ?? '') || cipher !== 'AES256')
    throw new VaultError(`a vault of the kind \`${header}\``, 'encrypt it again with ansible-vault (AES256)')
  const [salt, hmac, sealed] = unhex(body.join('')).toString('latin1').split('\n').map(unhex)
  if (!salt || !hmac || !sealed) throw damaged()
  const keys = pbkdf2Sync(password, salt, 10_000, 80, 'sha256')
  const proof = createHmac('sha256', keys.subarray(32, 64)).update(sealed).digest()
  if (hmac.length !== proof.length || !timingSafeEqual(hmac, proof))
    throw new VaultError('the vault password does not open this', 'give the password it was encrypted with')
  const decipher = createDecipheriv('aes-256-ctr', keys.subarray(0, 32), keys.subarray(64))
  const padded = Buffer.concat([decipher.update(sealed), decipher.final()])
  return padded.subarray(0, padded.length - (padded.at(-1) ?? 0)).toString('utf8')
}

/** Text as ansible-vault encrypts it, format 1.1: the counterpart of `openVault`, which `ansible-vault view` and `rekey` read as well. */
export const sealVault = (text: string, password: Uint8Array): string => {
  const salt = randomBytes(32)
  const keys = pbkdf2Sync(password, salt, 10_000, 80, 'sha256')
  const plain = Buffer.from(text)
  const room = 16 - (plain.length % 16)
  const cipher = createCipheriv('aes-256-ctr', keys.subarray(0, 32), keys.subarray(64))
  const sealed = Buffer.concat([cipher.update(plain), cipher.update(Buffer.alloc(room, room)), cipher.final()])
  const hmac = createHmac('sha256', keys.subarray(32, 64)).update(sealed).digest()
  const body = Buffer.from([salt, hmac, sealed].map((part) => part.toString('hex')).join('\n')).toString('hex')
  return `$ANSIBLE_VAULT;1.1;AES256\n${body.replaceAll(/.{1,80}/g, '$&\n')}`
}

const unhex = (text: string): Buffer => {
  if (text.length % 2 || !/^[0-9a-f]*$/i.test(text)) throw damaged()
  return Buffer.from(text, 'hex')
}

const damaged = () => new VaultError('the vault is damaged', 'encrypt it again with ansible-vault')

/**
 * The vault password: what stands in the file that ANSIBLE_VAULT_PASSWORD_FILE names, or what it prints where it can be
 * executed (as Ansible does); without that variable, ~/.vault_pass. Throws VaultError when there is none.
 */
export const vaultPassword = (env: NodeJS.ProcessEnv): Buffer => {
  const home = env.HOME ?? homedir()
  const named = env.ANSIBLE_VAULT_PASSWORD_FILE
  const file = named ? resolve(named.replace(/^~(?=\/|$)/, home)) : join(home, '.vault_pass')
  if (!existsSync(file) || !statSync(file).isFile())
    throw new VaultError(
      named ? `ANSIBLE_VAULT_PASSWORD_FILE names ${named}, which is no file` : 'there is no vault password',
      'put the password into a file and set ANSIBLE_VAULT_PASSWORD_FILE to its path (or use ~/.vault_pass)',
    )
  const password = (isExecutable(file) ? output(file, env) : readFileSync(file)).toString('utf8').trim()
  if (!password) throw new VaultError(`the vault password file ${file} is empty`, 'put the password into it')
  return Buffer.from(password)
}

const isExecutable = (file: string): boolean => (statSync(file).mode & 0o111) !== 0

const output = (file: string, env: NodeJS.ProcessEnv): Buffer => {
  const { status, stdout, error } = spawnSync(file, [], { env, stdio: ['inherit', 'pipe', 'inherit'] })
  if (status === 0) return stdout
  throw new VaultError(
    `the vault password script ${file} failed: ${error?.message ?? `exit code ${status}`}`,
    'run it by hand to see why',
  )
}
