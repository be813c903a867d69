import { noAuthority, openAuthority, readAuthority } from '../certificates/authority.ts'
import {
  beginOf,
  certificatesIn,
  endOf,
  isForClients,
  isIssuedBy,
  namesIn,
  sameName,
} from '../certificates/certificate.ts'
import { BACKDATED_MS, type Issued, issueServer } from '../certificates/issue.ts'
import { expiredOn } from '../certificates/refusals.ts'
import { milliseconds } from '../duration.ts'
import type { Change, Host, Kind, Step, Task } from '../model.ts'
import { Sealed } from '../secret.ts'
import { word } from '../shell.ts'
import { absolutePath, accountName } from './check.ts'
import { makeFile, setAccess } from './file.ts'
import { parseStat, printStat, records, sections, setPaths } from './paths.ts'
import { putBack, replace } from './replace.ts'

/** `certificate` is `good`, or what is wrong with it; `until` is when it ends, RFC 3339, or empty where there is none. */
export type CertificateState = Readonly<{
  type: string
  mode: string
  owner: string
  group: string
  certificate: string
  until: string
}>
export interface CertificateData {
  readonly names: readonly string[]
  readonly subject: string
  readonly lifetimeMs: number
  readonly renewBeforeMs: number
  /** Whether it is shown to servers too. */
  readonly client: boolean
  /** The unit that is made to read it again. */
  readonly reloads?: string
  /** The unit that reads it when it starts alone, and is restarted where it runs with it. */
  readonly restarts?: string
  /** The authority that must have issued it, in PEM; empty until the task is prepared. */
  readonly authority: string
  /** One that was issued before is issued anew; milliseconds since the epoch. */
  readonly issuedSince?: number
  open?(): Issued
}

/** No certificate, with all between it and its authority, is longer. */
const LONGEST = 65_536

export const certificateKind: Kind<CertificateState, CertificateData> = {
  name: 'certificate',
  summary:
    'A certificate of the fleet’s authority with its key, in one file; issued anew in time, or when names change.',
  prepare: (tasks, { inventory }) => {
    const authority = readAuthority(inventory)
    if (!authority) throw noAuthority(inventory)
    let opened: Issued | undefined
    const open = (): Issued => {
      opened ??= openAuthority(authority)
      return opened
    }
    return Promise.resolve(
      tasks.map((task) => ({ ...task, data: { ...task.data, authority: authority.certificate, open } })),
    )
  },
  probe: (tasks) => {
    const paths = tasks.map(({ key }) => key)
    return `${setPaths(paths)}
${printStat(paths)}
printf '#\\0'
for vestal_path; do
  if [ -f "$vestal_path" ] && [ ! -L "$vestal_path" ]; then
    sed -n '/^-----BEGIN CERTIFICATE-----$/,/^-----END CERTIFICATE-----$/p' -- "$vestal_path" 2>/dev/null | head -c ${LONGEST} | tr -d '\\0'
  fi
  printf '\\0'
done`
  },
  parse: (stdout, tasks) => {
    const [stats = [], texts = []] = sections(records(stdout), '#')
    const found = parseStat(stats)
    return new Map(
      tasks.flatMap(({ key, data }, at): [string, CertificateState][] => {
        const stat = found.get(key)
        return stat ? [[key, { ...stat, ...judged(texts[at] ?? '', data) }]] : []
      }),
    )
  },
  converge: (change) => [step(change)],
  explain: ({ from, fields }) => {
    if (from === null) return ''
    if (fields.includes('type')) return `a ${from.type} is in its place`
    return fields
      .map((field) =>
        field === 'certificate' ? from.certificate : `${field} is ${from[field as keyof CertificateState]}`,
      )
      .join(', ')
  },
}

interface IssuedFor {
  /** Who reads it: the group of a service's account. */
  readonly group: string
  /** Whether it is shown to servers too, as members of a cluster do to each other. Default: it is a server's alone. */
  readonly client?: boolean
  /** Names and addresses beside the host's. */
  readonly names?: readonly string[]
  /** The unit that is made to read it again once it is there, where it runs; default: whoever shows it reads it with each connection. */
  readonly reloads?: string
  /** The unit that reads it when it starts alone, and names it on its command line: restarted once it is there, where it was started with it. */
  readonly restarts?: string
}

/**
 * A certificate of the fleet's authority for a host, and its key, which is made on the controller when it is issued, goes to the host alone and is
 * kept nowhere else. Throws InputError on a path that isn't absolute.
 */
export const issuedCertificate = (
  path: string,
  host: Host,
  { group, client = false, names: more = [], reloads, restarts }: IssuedFor,
): Task<CertificateState, CertificateData> => {
  const { names = [], lifetime = '30d', renewBefore = '10d' } = host.tls ?? {}
  const all = [host.name, host.address, host.link.address, ...names, ...more].map(sameName).filter(isName)
  return {
    kind: certificateKind,
    key: absolutePath(path),
    desired: { type: 'file', mode: '0640', owner: 'root', group: accountName(group), certificate: 'good' },
    data: {
      names: [...new Set(all)].sort(),
      subject: host.name,
      lifetimeMs: milliseconds(lifetime),
      renewBeforeMs: milliseconds(renewBefore),
      client,
      reloads,
      restarts,
      authority: '',
    },
  }
}

/** The same task, to which one that was issued before this moment is an old one; milliseconds since the epoch. */
export const issuedAnew = (task: Task, issuedSince: number): Task => ({
  ...task,
  data: { ...(task.data as CertificateData), issuedSince },
})

/** Names of hosts that no DNS would take, such as those with `_` in them, are left out: they are reached by their addresses. */
const isName = (name: string): boolean =>
  name.includes(':') ||
  (name.length <= 253 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(name))

const judged = (text: string, data: CertificateData): Pick<CertificateState, 'certificate' | 'until'> => {
  const [leaf] = certificatesIn(text)
  if (!leaf) return { certificate: 'no certificate is in it', until: '' }
  const end = endOf(leaf).getTime()
  if (Number.isNaN(end)) return { certificate: 'no certificate is in it', until: '' }
  return { certificate: wrongWith(leaf, data) ?? 'good', until: new Date(end).toISOString() }
}

const wrongWith = (
  leaf: ReturnType<typeof certificatesIn>[number],
  { names, authority, renewBeforeMs, client, issuedSince = 0 }: CertificateData,
): string | undefined => {
  const left = endOf(leaf).getTime() - Date.now()
  const has = namesIn(leaf)
  if (!isIssuedBy(leaf, certificatesIn(authority))) return 'another authority has issued it'
  if (has.join() !== names.join()) return `it is made out to ${has.join(', ') || 'nobody'}`
  if (client && !isForClients(leaf)) return 'it is none that is shown to servers'
  if (left <= 0) return expiredOn(endOf(leaf).toISOString())
  if (left <= renewBeforeMs) return `it ends on ${endOf(leaf).toISOString()}`
  // A certificate's times are whole seconds.
  const issued = beginOf(leaf).getTime() + BACKDATED_MS
  return issued < Math.floor(issuedSince / 1_000) * 1_000
    ? `it was issued on ${new Date(issued).toISOString()}`
    : undefined
}

const step = ({ task: { key, data }, from, to, fields }: Change<CertificateState, CertificateData>): Step => {
  const wanted = to as CertificateState
  if (from && !fields.includes('certificate') && !fields.includes('type'))
    return { title: `set mode and owner of ${key}`, run: setAccess(key, wanted), undo: setAccess(key, from) }
  const open = (): Issued => {
    if (data.open) return data.open()
    throw new Error(`${key} was not prepared`)
  }
  const again = readAgain(key, data)
  return {
    title: `issue ${key}`,
    run: `${replace(key, makeFile(wanted))}${again}`,
    make: {
      ready: () => void open(),
      content: async () => {
        const { certificate, key: own } = await issueServer(open(), {
          names: data.names,
          subject: data.subject,
          ms: data.lifetimeMs,
          client: data.client,
        })
        return new Sealed([certificate, own])
      },
    },
    undo: `${putBack(key)}${again}`,
    ...(data.restarts !== undefined && from?.type === 'file' && { interrupts: true }),
  }
}

/** What makes those read it again who don't by themselves. One that was started without it is about to be restarted, or never will be. */
const readAgain = (path: string, { reloads, restarts }: CertificateData): string =>
  [
    ...(reloads === undefined
      ? []
      : [`if systemctl is-active --quiet -- ${word(reloads)}; then systemctl reload -- ${word(reloads)}; fi`]),
    ...(restarts === undefined
      ? []
      : [
          `pid=$(systemctl show --property=MainPID --value -- ${word(restarts)})`,
          `if [ "\${pid:-0}" != 0 ] && tr '\\0' '\\n' <"/proc/$pid/cmdline" | grep -qF -- ${word(`=${path}`)}; then systemctl restart -- ${word(restarts)}; fi`,
        ]),
  ]
    .map((line) => `\n${line}`)
    .join('')
