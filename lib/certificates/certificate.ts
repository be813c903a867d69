import { X509Certificate } from 'node:crypto'
import { isIPv6 } from 'node:net'

/** The certificates of a text in PEM, in order; what is none is passed over. */
export const certificatesIn = (text: string): readonly X509Certificate[] =>
  (text.match(PEM) ?? []).flatMap((one) => {
    try {
      return [new X509Certificate(one)]
    } catch {
      return []
    }
  })
const PEM = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g

/** A common name has at most 64 characters (RFC 5280, `ub-common-name`). Only HAProxy goes by it, where no other name is one. */
export const LONGEST_NAME = 64

/** When it ends. */
export const endOf = (certificate: X509Certificate): Date => new Date(certificate.validTo)
/** When it begins. */
export const beginOf = (certificate: X509Certificate): Date => new Date(certificate.validFrom)

/** The names and addresses that it is made out to, as `sameName` writes them, sorted. Names of other kinds are left out. */
export const namesIn = ({ subjectAltName = '' }: X509Certificate): readonly string[] =>
  subjectAltName
    .split(', ')
    .flatMap((one) => /^(?:DNS|IP Address):(.+)$/.exec(one)?.[1] ?? [])
    .map(sameName)
    .sort()

/** A host name or an IP address in its one form, so that two of them can be compared. */
export const sameName = (name: string): string =>
  isIPv6(name) ? new URL(`http://[${name}]`).hostname.slice(1, -1) : name.toLowerCase().replace(/\.$/, '')

/** Whether a client may show it to a server: it says so, or nothing of what it is for (RFC 5280, section 4.2.1.12). */
export const isForClients = ({ keyUsage }: X509Certificate): boolean =>
  // Node's name for the extended key usage; undefined where there is none.
  (keyUsage as readonly string[] | undefined)?.includes(CLIENT_AUTH) ?? true
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'

/** Whether one of these authorities has signed it. Whether it is valid now is another question. */
export const isIssuedBy = (certificate: X509Certificate, authorities: readonly X509Certificate[]): boolean =>
  authorities.some((one) => certificate.checkIssued(one) && certificate.verify(one.publicKey))
