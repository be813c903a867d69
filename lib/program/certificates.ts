/** What brings certificates to hosts, as tasks of roles. */
import { certificatesIn, isForClients } from '../certificates/certificate.ts'
import { issuedCertificate } from '../kinds/certificate.ts'
import { directory } from '../kinds/directory.ts'
import { file } from '../kinds/file.ts'
import type { Host, Inventory, Task, WebServer } from '../model.ts'
import { Sealed, Secret } from '../secret.ts'
import { AUTHORITY, certificateFile, webConfigFile, webOn } from './certified.ts'
import type { Web } from './web.ts'
import { yamlFile } from './yaml-file.ts'

/** Chooses tasks of certificates alone: `--tags certificates`. */
export const CERTIFICATES = 'certificates'

/**
 * The files of a web server: whom to trust, its certificate, and its configuration; none where it has no settings of its own. `check` is POSIX sh as
 * `file` takes it.
 */
export const webTasks = (
  { host, vars, inventory }: { readonly host: Host; readonly vars: Web; readonly inventory: Inventory },
  usual: WebServer,
  check?: string,
): readonly Task[] => {
  const web = webOn(host, usual)
  return [
    ...trustTasks(inventory),
    ...(vars.certified && host.tls ? [certificate(host, { path: certificateFile(web), group: web.user })] : []),
    ...(vars.web_config
      ? [file(webConfigFile(web), yamlFile(vars.web_config), { mode: '0640', group: web.user, validate: check })]
      : []),
  ]
}

/** Whom hosts trust that ask web servers of the fleet; none where no host has TLS by `tls`. */
export const trustTasks = ({ hosts }: Inventory): readonly Task[] => {
  const authorities = [...new Set(hosts.flatMap(({ tls }) => (tls && tls.authority !== '' ? [tls.authority] : [])))]
  if (authorities.length === 0) return []
  return [directory('/etc/vestal'), file(AUTHORITY, authorities.join(''))].map(tagged)
}

/** The file of them alone: for a service that reads it when it starts, or when it reloads, and not again by itself. */
export const trustFile = (inventory: Inventory): readonly Task[] =>
  trustTasks(inventory).filter(({ key }) => key === AUTHORITY)

interface Shown {
  readonly path: string
  /** The account that shows it. */
  readonly group: string
  /** Names and addresses beside the host's. */
  readonly names?: readonly string[]
  /** The unit that reads it again on a reload only, where it does not with each connection. */
  readonly reloads?: string
  /** The unit that reads it when it starts alone, and names it on its command line. */
  readonly restarts?: string
}

/** A certificate of a server, with its key. */
export const servedCertificate = (host: Host, served: Shown): Task => certificate(host, served)

/** A certificate that members of a cluster show to each other, with its key: as servers, and as clients. */
export const shownCertificate = (host: Host, shown: Shown): Task => certificate(host, { ...shown, client: true })

/** Whether a certificate of the operator's own can be shown so. */
export const isHeldForClients = (text: string): boolean => certificatesIn(text).slice(0, 1).every(isForClients)

const certificate = (host: Host, { path, ...wanted }: Shown & { readonly client?: boolean }): Task => {
  const own = host.tls?.own
  if (!own) return tagged(issuedCertificate(path, host, wanted))
  return tagged(
    file(path, new Sealed([own.certificate, '\n', new Secret(own.key.reveal()), '\n']), {
      mode: '0640',
      group: wanted.group,
    }),
  )
}

const tagged = (task: Task): Task => ({ ...task, tags: [CERTIFICATES] })
