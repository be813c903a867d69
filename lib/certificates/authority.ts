import { createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { InputError } from '../errors.ts'
import { openVault, sealVault, VaultError, vaultPassword } from '../inventory/yaml/vault.ts'
import { replaceFile } from '../replace-file.ts'
import { Secret } from '../secret.ts'
import { certificatesIn, endOf } from './certificate.ts'
import { type Issued, issueAuthority } from './issue.ts'

/**
 * The certificate authority of a fleet stands in a folder beside the inventory: `NUMBER.crt` and `NUMBER.key` for each that is trusted, and a file
 * that says which of them issues. A key is an ansible-vault text, opened by the vault's password as any other secret of the inventory, and never
 * leaves the controller.
 */
const FOLDER = 'authority'
const STATE = 'authority.json'

const state = z.strictObject({
  vestal: z.literal('authority/1'),
  issuing: z.string().regex(/^\d{1,6}$/),
  trusted: z
    .array(z.string().regex(/^\d{1,6}$/))
    .min(1)
    .max(2),
})

/** What is known of an authority without the password. */
export interface Authority {
  readonly folder: string
  /** The number of the one that issues, and those of all that are trusted, the older first. */
  readonly issuing: string
  readonly trusted: readonly string[]
  /** Its certificate, in PEM; and those of all that are trusted, one after the other. */
  readonly certificate: string
  readonly bundle: string
}

/** Where the authority of an inventory stands. */
export const authorityFolder = (inventory: { readonly folder: string }): string => join(inventory.folder, FOLDER)

/** The authority beside an inventory, or undefined where there is none. Throws InputError where its files make no sense. */
export const readAuthority = (inventory: { readonly folder: string }): Authority | undefined => {
  const folder = authorityFolder(inventory)
  const file = join(folder, STATE)
  if (!existsSync(file)) return undefined
  const found = stateIn(file)
  const texts = new Map(found.trusted.map((number) => [number, certificateText(folder, number)]))
  const certificate = texts.get(found.issuing)
  if (certificate === undefined)
    throw damaged(file, `says that ${found.issuing} issues, which is none of those it trusts`)
  return { folder, ...found, certificate, bundle: [...texts.values()].join('') }
}

/** Whom the fleet trusts, and until when; nobody where there is no authority. Throws InputError as `readAuthority` does. */
export const trustedAuthorities = (inventory: {
  readonly folder: string
}): readonly { readonly subject: string; readonly until: Date }[] =>
  certificatesIn(readAuthority(inventory)?.bundle ?? '').map((one) => ({ subject: one.subject, until: endOf(one) }))

/** Makes the first authority. Returns its certificate, in PEM. Throws InputError where there is one already, or no password for its key. */
export const makeAuthority = async (
  inventory: { readonly folder: string; readonly name: string },
  { ms, env = process.env }: { readonly ms: number; readonly env?: NodeJS.ProcessEnv },
): Promise<Authority> => {
  const folder = authorityFolder(inventory)
  if (existsSync(join(folder, STATE)))
    throw new InputError([
      {
        where: folder,
        what: 'there is an authority already',
        fix: 'vestal certificates rotate-authority makes a new one',
      },
    ])
  await write(inventory, { number: '1', ms, env })
  keep(folder, { issuing: '1', trusted: ['1'] })
  return present(inventory)
}

/**
 * The next step of a rotation, each of which wants a deploy after it: a new authority is trusted beside the old one; it issues in its place; the old one
 * is trusted no more. Returns what has been reached.
 */
export const rotateStep = async (
  inventory: { readonly folder: string; readonly name: string },
  { ms, env = process.env }: { readonly ms: number; readonly env?: NodeJS.ProcessEnv },
): Promise<Authority> => {
  const { folder, issuing, trusted } = present(inventory)
  const [older = issuing, newer] = trusted
  if (newer === undefined) {
    const number = `${Number(issuing) + 1}`
    await write(inventory, { number, ms, env })
    keep(folder, { issuing, trusted: [issuing, number] })
  } else if (issuing === older) {
    keep(folder, { issuing: newer, trusted })
  } else {
    keep(folder, { issuing, trusted: [newer] })
    for (const ending of ['key', 'crt']) rmSync(join(folder, `${older}.${ending}`), { force: true })
  }
  return present(inventory)
}

/** Opens the key of the authority that issues. Throws InputError without the password, and where the key is another's. */
export const openAuthority = (authority: Authority, env: NodeJS.ProcessEnv = process.env): Issued => {
  const file = join(authority.folder, `${authority.issuing}.key`)
  try {
    const key = new Secret(openVault(readFileSync(file, 'utf8'), vaultPassword(env)))
    if (new X509Certificate(authority.certificate).checkPrivateKey(createPrivateKey(key.reveal())))
      return { certificate: authority.certificate, key }
  } catch (error) {
    if (error instanceof VaultError) throw new InputError([{ where: file, what: error.message, fix: error.fix }])
    if (!existsSync(file)) throw damaged(file, 'is not there: certificates are issued where the key is')
    throw error
  }
  throw damaged(file, `is not the key of ${authority.issuing}.crt`)
}

const present = (inventory: { readonly folder: string }): Authority => {
  const found = readAuthority(inventory)
  if (found) return found
  throw noAuthority(inventory)
}

/** That there is no authority, and what to do. */
export const noAuthority = (inventory: { readonly folder: string }): InputError =>
  new InputError([
    {
      where: authorityFolder(inventory),
      what: 'there is no certificate authority, and `tls` is set',
      fix: 'make one: vestal certificates init -i INVENTORY; or set tls: { certificate: …, key: …, authority: … }',
    },
  ])

const write = async (
  inventory: { readonly folder: string; readonly name: string },
  { number, ms, env }: { readonly number: string; readonly ms: number; readonly env: NodeJS.ProcessEnv },
): Promise<void> => {
  const folder = authorityFolder(inventory)
  const password = passwordOf(folder, env)
  const made = await issueAuthority({ subject: `Vestal ${inventory.name} ${number}`.slice(0, 64), ms })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${number}.key`), sealVault(made.key.reveal(), password), { mode: 0o600 })
  writeFileSync(join(folder, `${number}.crt`), made.certificate)
}

const passwordOf = (folder: string, env: NodeJS.ProcessEnv): Buffer => {
  try {
    return vaultPassword(env)
  } catch (error) {
    if (!(error instanceof VaultError)) throw error
    throw new InputError([
      { where: folder, what: `the key of an authority is kept as a vault, and ${error.message}`, fix: error.fix },
    ])
  }
}

/** In one rename, so that what is reached is always known. */
const keep = (folder: string, { issuing, trusted }: Pick<Authority, 'issuing' | 'trusted'>): void => {
  replaceFile(join(folder, STATE), `${JSON.stringify({ vestal: 'authority/1', issuing, trusted }, null, 2)}\n`)
}

const stateIn = (file: string): z.output<typeof state> => {
  const { success, data } = state.safeParse(small(file) ? parsed(readFileSync(file, 'utf8')) : undefined)
  if (success) return data
  throw damaged(file, 'is none that Vestal has written')
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const certificateText = (folder: string, number: string): string => {
  const file = join(folder, `${number}.crt`)
  if (!existsSync(file)) throw damaged(file, 'is not there')
  const text = small(file) ? readFileSync(file, 'utf8') : ''
  const [certificate, ...more] = certificatesIn(text)
  if (certificate?.ca && more.length === 0 && endOf(certificate) > new Date(0))
    return text.endsWith('\n') ? text : `${text}\n`
  throw damaged(file, 'holds no certificate of an authority')
}

const small = (file: string): boolean => statSync(file).size < 64 * 1024

const damaged = (where: string, what: string): InputError =>
  new InputError([{ where, what, fix: 'Take it back from where the inventory is kept.' }])
