import { createPrivateKey } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { z } from 'zod'
import { readAuthority } from '../certificates/authority.ts'
import { certificatesIn, endOf, isIssuedBy, namesIn, sameName } from '../certificates/certificate.ts'
import { milliseconds } from '../duration.ts'
import type { Tls } from '../model.ts'
import type { Secret } from '../secret.ts'
import { readText } from './files.ts'
import { address, duration, secret } from './schema/fields.ts'

const path = z.string().min(1, { error: 'expected the path of a file, from the inventory’s folder' })

const settings = z
  .strictObject({
    plain: z
      .array(z.string())
      .default([])
      .describe('Roles whose web servers stay in plain text, by name. `check` tells of them.'),
    gossip: z
      .boolean()
      .default(false)
      .describe(
        'Whether Alertmanagers gossip with TLS, each showing the others a certificate, and instances of a ring speak to each other so. Members that run change all at once: vestal certificates gossip.',
      ),
    names: z
      .array(address)
      .default([])
      .describe('Further names and addresses that the certificates are made out to, beside the host’s own.'),
    lifetime: duration.default('30d').describe('How long a certificate is valid.'),
    renew_before: duration
      .default('10d')
      .describe('How long before its end a deploy issues a certificate anew; shorter than `lifetime`.'),
    certificate: path.optional().describe('A certificate of your own in PEM, with those between it and the authority.'),
    key: secret.optional().describe('Its key in PEM: { $file: path } or !vault.'),
    authority: path.optional().describe('The certificates in PEM of whom to trust for it.'),
  })
  .superRefine(({ lifetime, renew_before, certificate, key, authority }, context) => {
    if (milliseconds(renew_before) >= milliseconds(lifetime))
      context.addIssue({ code: 'custom', path: ['renew_before'], message: 'expected less than `lifetime`' })
    const own = [certificate, key, authority].filter((one) => one !== undefined)
    if (own.length > 0 && own.length < 3)
      context.addIssue({ code: 'custom', message: 'certificate, key and authority belong together: give all three' })
  })

/** The `tls` variable: false for none, true or settings for TLS on all web servers. */
export const tlsVariable = z
  .union([z.boolean(), settings], { error: 'expected settings of TLS, true, or false' })
  .transform((given) => (given === true ? settings.parse({}) : given))
  .meta({
    description:
      'TLS on the web servers of all roles: with certificates of an authority beside the inventory (vestal certificates init), or with your own.',
  })
type Settings = z.output<typeof settings>

export interface TlsMistake {
  readonly path?: string
  readonly what: string
  readonly fix: string
}

/** What a host's `tls` comes to, in an inventory of this folder. Files are read once. */
export const tlsReader = (folder: string) => {
  let trusted: { readonly bundle: string } | undefined
  const bundle = (): string => {
    trusted ??= { bundle: readAuthority({ folder })?.bundle ?? '' }
    return trusted.bundle
  }
  /** Calls `blame` with what is wrong with the operator's own files for a host of these names. */
  return (
    given: Settings | false | undefined,
    host: { readonly names: readonly string[] },
    blame: (mistake: TlsMistake) => void,
  ): Tls | undefined => {
    if (!given) return undefined
    const { plain, gossip, names, lifetime, renew_before: renewBefore } = given
    const common = {
      plain,
      gossip,
      names: [...new Set(names.map(sameName))],
      lifetime,
      renewBefore,
    } satisfies Partial<Tls>
    const { certificate, key, authority } = given
    if (certificate === undefined || key === undefined || authority === undefined)
      return Object.freeze({ ...common, authority: bundle() })
    const own = { certificate: textOf(folder, certificate, 'certificate', blame), key }
    const trust = textOf(folder, authority, 'authority', blame)
    if (own.certificate !== '' && trust !== '') for (const one of ownMistakes(own, trust, host.names)) blame(one)
    return Object.freeze({ ...common, authority: trust, own: Object.freeze(own) })
  }
}

const LARGEST = 256 * 1024

const textOf = (folder: string, path: string, setting: string, blame: (mistake: TlsMistake) => void): string => {
  const file = isAbsolute(path) ? path : resolve(folder, path)
  if (!existsSync(file) || !statSync(file).isFile() || statSync(file).size > LARGEST) {
    blame({
      path: setting,
      what: `there is no such file ${path}`,
      fix: `the path starts at the inventory's folder: ${file}`,
    })
    return ''
  }
  const text = readText(file)
  if (certificatesIn(text).length > 0) return text.endsWith('\n') ? text : `${text}\n`
  blame({
    path: setting,
    what: `${path} holds no certificate in PEM`,
    fix: 'give one that begins with BEGIN CERTIFICATE',
  })
  return ''
}

/** What of the operator's own certificate would be refused by those who ask: told before it is brought anywhere. */
const ownMistakes = (
  { certificate, key }: { readonly certificate: string; readonly key: Secret },
  authority: string,
  hostNames: readonly string[],
): readonly TlsMistake[] => {
  const [leaf, ...between] = certificatesIn(certificate)
  if (!leaf) return []
  const names = namesIn(leaf)
  const missing = hostNames.map(sameName).filter((name) => !names.some((one) => covers(one, name)))
  const issued = isIssuedBy(leaf, [...between, ...certificatesIn(authority)])
  return [
    ...(hasKey(leaf, key)
      ? []
      : [{ path: 'key', what: 'is not the key of the certificate', fix: 'give the key that it was made with' }]),
    ...(endOf(leaf).getTime() > Date.now()
      ? []
      : [{ path: 'certificate', what: `expired on ${endOf(leaf).toISOString()}`, fix: 'bring a new one' }]),
    ...(issued
      ? []
      : [
          {
            path: 'authority',
            what: 'has not issued the certificate',
            fix: 'give the certificate of the authority that has, or put those between into the file of the certificate',
          },
        ]),
    ...(missing.length === 0
      ? []
      : [
          {
            path: 'certificate',
            what: `is not made out to ${missing.join(', ')}, where the host is reached, but to ${names.join(', ') || 'nobody'}`,
            fix: 'have it issued with these as subject alternative names',
          },
        ]),
  ]
}

const hasKey = (leaf: ReturnType<typeof certificatesIn>[number], key: Secret): boolean => {
  try {
    return leaf.checkPrivateKey(createPrivateKey(key.reveal()))
  } catch {
    return false
  }
}

/** A name with `*` as its first label stands for any one label there (RFC 9525, section 6.3). */
const covers = (pattern: string, name: string): boolean =>
  pattern === name ||
  (pattern.startsWith('*.') && name.includes('.') && name.slice(name.indexOf('.')) === pattern.slice(1))
