import { randomBytes, type webcrypto, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { Secret } from '../secret.ts'
import { endOf, LONGEST_NAME } from './certificate.ts'

/** A certificate in PEM, and the key that belongs to it, in PEM as PKCS#8. */
export interface Issued {
  readonly certificate: string
  readonly key: Secret
}
/** Whom a certificate is made out to, and for how long, in milliseconds. */
interface Wanted {
  readonly subject: string
  readonly ms: number
}

/** A clock that is behind by less takes a new certificate all the same. */
export const BACKDATED_MS = 3_600_000

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** A new authority, which signs itself and can sign no other authority. */
export const issueAuthority = async ({ subject, ms }: Wanted): Promise<Issued> => {
  const x509 = await library()
  const keys = await crypto.subtle.generateKey(P256, true, ['sign', 'verify'])
  const now = Date.now()
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: [{ CN: [subject] }],
    notBefore: new Date(now - BACKDATED_MS),
    notAfter: new Date(now + ms),
    keys,
    signingAlgorithm: P256,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: `${made.toString('pem')}\n`, key: await keyText(keys.privateKey) }
}

/**
 * A certificate of a server with these names and addresses, with a new key; with `client`, one that is also shown to servers, as members of a cluster do to
 * each other. It ends no later than its authority.
 */
export const issueServer = async (
  authority: Issued,
  { names, subject, ms, client = false }: Wanted & { readonly names: readonly string[]; readonly client?: boolean },
): Promise<Issued> => {
  const x509 = await library()
  const issuer = new x509.X509Certificate(authority.certificate)
  const signingKey = await crypto.subtle.importKey('pkcs8', derOf(authority.key), P256, false, ['sign'])
  const keys = await crypto.subtle.generateKey(P256, true, ['sign', 'verify'])
  const now = Date.now()
  const end = Math.min(now + ms, endOf(new X509Certificate(authority.certificate)).getTime())
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: [{ CN: [subject.slice(0, LONGEST_NAME)] }],
    issuer: issuer.subjectName,
    notBefore: new Date(now - BACKDATED_MS),
    notAfter: new Date(end),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: P256,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        ...(client ? [x509.ExtendedKeyUsage.clientAuth] : []),
      ]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value })),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: `${made.toString('pem')}\n`, key: await keyText(keys.privateKey) }
}

/** Positive, and of no more than 20 bytes (RFC 5280, section 4.1.2.2). */
const serial = (): string => {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes.toString('hex')
}

const keyText = async (key: webcrypto.CryptoKey): Promise<Secret> => {
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', key)).toString('base64')
  return new Secret(`-----BEGIN PRIVATE KEY-----\n${der.replaceAll(/.{1,64}/g, '$&\n')}-----END PRIVATE KEY-----\n`)
}

const derOf = (key: Secret): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(Buffer.from(key.reveal().replaceAll(/-----[A-Z ]+-----|\s/g, ''), 'base64'))

/** Loaded where something is issued only: it takes a tenth of a second. It wants the reflection of metadata to be there before it. */
const library = async () => {
  await import('reflect-metadata')
  return import('@peculiar/x509')
}
