import { isIP } from 'node:net'
import { certificatesIn, LONGEST_NAME, namesIn } from '../certificates/certificate.ts'
import type { Host, WebServer } from '../model.ts'
import { ofInstance } from '../one-machine.ts'
import { hasTls, type Web } from './web.ts'

/** Whom web servers of the fleet are trusted by, as a file on every host that asks one. */
export const AUTHORITY = '/etc/vestal/authority.crt'

/** A web server as a host has it: that of an instance has a folder of its own. */
export const webOn = (host: Host, web: WebServer): WebServer => ({ ...web, folder: ofInstance(host, web.folder) })

/** The configuration of a web server, as the exporter toolkit reads it. */
export const webConfigFile = ({ folder }: WebServer): string => `${folder}/web.yml`

/** Certificate and key of a web server, in one file: exchanged in one rename, they never fail to belong together. */
export const certificateFile = (web: WebServer): string => fileOfCertificate(web, 'web')

/** The same of another port of its program, which shows another one. */
export const fileOfCertificate = ({ folder }: WebServer, port: string): string => `${folder}/${port}.pem`

/**
 * A web server's settings as `tls` of its host makes them: its certificate, and how it is trusted. One with a certificate of its own (`tls_server_config`)
 * keeps that.
 */
export const certified = <V>(host: Host, vars: V, web: WebServer): V => {
  const settings = vars as V & Web
  const { tls } = host
  if (!tls || tls.plain.includes(web.role) || hasTls(settings)) return vars
  const known = { web_client_tls: { ca_file: AUTHORITY, ...settings.web_client_tls } }
  if (tls.stage?.plain.includes(web.role)) return { ...settings, ...known, certified: false }
  const file = certificateFile(web)
  return {
    ...settings,
    ...known,
    web_config: { ...settings.web_config, tls_server_config: { cert_file: file, key_file: file } },
    certified: true,
  }
}

/** Whether who asks it trusts it by the fleet's authority, while it has TLS. */
export const trustsFleet = (web: Web): boolean => hasTls(web) && web.web_client_tls?.ca_file === AUTHORITY

/**
 * A name that certificates of a host are made out to, for who compares names alone, as HAProxy does (`ssl_sock_srv_verifycbk` in its `ssl_sock.c`: names among the
 * subject alternative names, and the common name; no addresses). Its own address where there is none.
 */
export const nameShownBy = ({ name, address, tls }: Pick<Host, 'name' | 'address' | 'tls'>): string => {
  if (!tls?.own) return name.slice(0, LONGEST_NAME)
  const [leaf] = certificatesIn(tls.own.certificate)
  if (!leaf) return address
  const common = /^CN=(.+)$/m.exec(leaf.subject)?.[1]
  return namesIn(leaf).find((one) => isIP(one) === 0 && !one.startsWith('*')) ?? common ?? address
}

/** A host while TLS of a role's web server there is turned on or off: as it is reached with TLS, and without. */
export const bothWays = (host: Host, role: string): readonly Host[] => {
  const { tls } = host
  const stage = tls?.stage
  if (!tls || !stage?.both.includes(role)) return [host]
  const others = stage.plain.filter((name) => name !== role)
  const other = stage.plain.includes(role) ? others : [...others, role]
  return [host, { ...host, tls: { ...tls, stage: { ...stage, plain: other } } }]
}
