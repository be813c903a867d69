import { statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, resolve } from 'node:path'
import { isMap, isScalar, type Node } from 'yaml'
import { Secret } from '../../secret.ts'
import { readText } from '../files.ts'
import type { Mistakes } from '../mistakes.ts'
import { entriesOf, positionOf, type Source } from './source.ts'
import { openVault, VaultError, vaultPassword } from './vault.ts'

/** Where a secret comes from, as it stands in the inventory. */
export type SecretReference = { readonly $env: string } | { readonly $file: string }

export interface Secrets {
  /** The secret that `{ $env: NAME }` or `{ $file: path }` stands for; undefined for any other node. */
  referred(source: Source, node: Node): Secret | undefined
  /** Opens `!vault` text. One that can't be opened is a mistake, and an empty secret stands in for it. */
  vaulted(source: Source, node: Node): Secret
  /** The text of a file that is a vault as a whole; undefined, and a mistake, when it can't be opened. */
  openFile(file: string, text: string): string | undefined
}

const references = new WeakMap<Secret, SecretReference>()
const files = new WeakMap<Secret, string>()

/** The file that a secret is the text of, from the root; undefined for any other. */
export const fileBehind = (secret: Secret): string | undefined => files.get(secret)

/** The reference a secret was read from: it tells nothing, so it may be printed. undefined for a vaulted or plain one. */
export const referenceOf = (secret: Secret): SecretReference | undefined => references.get(secret)

export const readSecrets = (env: NodeJS.ProcessEnv, mistakes: Mistakes): Secrets => {
  let password: Buffer | 'none' | undefined
  /** That there is no password is told once, not for every vault. */
  const open = (text: string, where: Parameters<Mistakes['add']>[0]): string | undefined => {
    password ??= attempt(() => vaultPassword(env), mistakes, where) ?? 'none'
    const key = password
    return key === 'none' ? undefined : attempt(() => openVault(text, key), mistakes, where)
  }
  return {
    referred(source, node) {
      const reference = referenceIn(source, node)
      if (!reference) return undefined
      const blame = (what: string, fix: string) => mistakes.add(positionOf(source, node), { what, fix })
      const value = '$env' in reference ? fromEnv(env, reference.$env, blame) : fromFile(source, reference.$file, blame)
      const secret = new Secret(value ?? '')
      references.set(secret, reference)
      if ('$file' in reference && value !== undefined) files.set(secret, pathOf(source, reference.$file))
      return secret
    },
    vaulted(source, node) {
      const text = isScalar(node) ? String(node.value) : ''
      return new Secret(open(text, positionOf(source, node)) ?? '')
    },
    openFile: (file, text) => open(text, file),
  }
}

const referenceIn = (source: Source, node: Node): SecretReference | undefined => {
  if (!isMap(node) || node.items.length !== 1) return undefined
  const [entry] = entriesOf(source, node)
  if (!entry || !isScalar(entry.value) || typeof entry.value.value !== 'string') return undefined
  if (entry.name === '$env') return { $env: entry.value.value }
  return entry.name === '$file' ? { $file: entry.value.value } : undefined
}

type Blame = (what: string, fix: string) => void

const fromEnv = (env: NodeJS.ProcessEnv, name: string, blame: Blame): string | undefined => {
  const value = env[name]
  if (value === undefined) blame(`the environment variable ${name} is not set`, `set it: export ${name}=…`)
  return value
}

const pathOf = (source: Source, path: string): string =>
  resolve(dirname(source.file), path.replace(/^~(?=\/)/, homedir()))

const fromFile = (source: Source, path: string, blame: Blame): string | undefined => {
  const file = pathOf(source, path)
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
    blame(`there is no file ${path}`, `the path starts at this file's folder: ${file}`)
    return undefined
  }
  return readText(file).replace(/\r?\n$/, '')
}

const attempt = <T>(open: () => T, mistakes: Mistakes, where: Parameters<Mistakes['add']>[0]): T | undefined => {
  try {
    return open()
  } catch (error) {
    if (!(error instanceof VaultError)) throw error
    mistakes.add(where, { what: error.message, fix: error.fix })
    return undefined
  }
}
