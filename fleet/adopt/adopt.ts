/** A fleet that others have deployed, as an inventory of ours. It is looked at, and nothing on it is changed. */
import pLimit from 'p-limit'
import { HostError } from '../../lib/errors.ts'
import type { Connection, Host, Reach } from '../../lib/model.ts'
import { portOf } from '../../lib/program/web.ts'
import { alertmanagerConfig, alertmanagerOn, wantedByAlertmanager } from './alertmanager.ts'
import { type BroughtFile, type Configuration, type Included, wantedSecrets } from './configuration.ts'
import { exporterConfig, exporterOn, nodeExporterOn } from './exporter.ts'
import { type FoundFile, filesBehind, type Look, lookAt, type Wanted } from './look.ts'
import { type Note, type Program, programsOn, type Told } from './program.ts'
import {
  type Client,
  canaryJob,
  dropsLabel,
  isAt,
  type Known,
  nodeTarget,
  prometheusConfig,
  prometheusOn,
  replicaLabel,
  wantedByPrometheus,
} from './prometheus.ts'
import { sharedFiles, sharedSettings } from './shared.ts'
import { wantedByWeb, webOf } from './web.ts'
import { listIn, mapIn, type Tree, type TreeMap, textIn } from './yaml-tree.ts'

/** What was found on a host. */
export interface AdoptedHost {
  readonly host: Host
  readonly programs: readonly { readonly name: string; readonly version: string; readonly unit: string }[]
  /** Settings of its own, by the variable's name. */
  readonly vars: TreeMap
}
export interface Adoption {
  readonly hosts: readonly AdoptedHost[]
  /** Settings of the groups, each with their hosts. */
  readonly groups: ReadonlyMap<string, { readonly hosts: readonly string[]; readonly vars: TreeMap }>
  /** Files that the settings name, by their path in the inventory's folder. */
  readonly files: ReadonlyMap<string, string>
  readonly notes: readonly Note[]
  /** Hosts that could not be looked at, and why. */
  readonly unreachable: Readonly<Record<string, string>>
  readonly programs: readonly Program[]
  /** The label that tells the replicas apart already; undefined without one. */
  readonly replicaLabel?: string
}

/** Looks at all hosts and puts what they run into settings. Throws nothing that a host has caused: it is told. */
export const adoptFleet = async (
  hosts: readonly Host[],
  { reach, forks }: { readonly reach: Reach; readonly forks: number },
): Promise<Adoption> => {
  const limit = pLimit(forks)
  const unreachable: Record<string, string> = {}
  const seen = await Promise.all(
    hosts.map((host) =>
      limit(async () => {
        try {
          return await seenOn(await reach(host))
        } catch (error) {
          if (!(error instanceof HostError)) throw error
          unreachable[host.name] = error.message
          return undefined
        }
      }),
    ),
  )
  const found = seen.flatMap((one) => one ?? [])
  return { ...settled(found), unreachable, programs: found.flatMap(({ parts }) => parts.map(({ program }) => program)) }
}

interface Part {
  readonly program: Program
  readonly config?: Configuration
  readonly told: readonly Told[]
}
/** A host with all that was read of it. */
export interface Seen {
  readonly look: Look
  readonly parts: readonly Part[]
  readonly included: Included
  readonly told: readonly Told[]
}

const seenOn = async (connection: Connection): Promise<Seen> => {
  const look = await lookAt(connection)
  const { programs, told } = programsOn(look)
  const parts = programs.map((program): Part => ({ program, ...configOf(program) }))
  const wanted = parts.flatMap(({ program, config }) => [
    ...(config ? wantedBy(program, config) : []),
    ...wantedByWeb(program),
  ])
  return { look, parts, told, included: included(wanted, await filesBehind(connection, wanted)) }
}

const configOf = (program: Program): { readonly config?: Configuration; readonly told: readonly Told[] } => {
  if (program.name === 'prometheus') return prometheusConfig(program)
  if (program.name === 'alertmanager') return alertmanagerConfig(program)
  return program.exporter ? exporterConfig(program) : { told: [] }
}

const wantedBy = ({ name }: Program, config: Configuration): readonly Wanted[] => {
  if (name === 'prometheus') return wantedByPrometheus(config)
  return name === 'alertmanager' ? wantedByAlertmanager(config) : wantedSecrets(config)
}

const included = (wanted: readonly Wanted[], found: readonly (readonly FoundFile[])[]): Included => ({
  matches: new Map(wanted.map(({ pattern }, at) => [pattern, found[at] ?? []])),
  files: new Map(found.flat().map((one) => [one.path, one])),
})

/** All hosts together: who sends to whom, what they share, and who may ask whom. */
export const settled = (seen: readonly Seen[]): Omit<Adoption, 'unreachable' | 'programs'> => {
  const notes: Note[] = []
  const tell = (host: string, told: readonly Told[]): void => void notes.push(...told.map((one) => ({ ...one, host })))
  const alertmanagers = knownAlertmanagers(seen)
  const of = (name: string) =>
    seen.flatMap(({ look, parts, included: files }) =>
      parts.filter(({ program }) => program.name === name).map((part) => ({ ...part, look, included: files })),
    )
  for (const { look, parts, told } of seen) {
    tell(look.host.name, told)
    for (const part of parts) tell(look.host.name, part.told)
    if (parts.length === 0)
      tell(look.host.name, [
        { kind: 'left', where: 'host', what: 'nothing runs there that Vestal has a role for; it is left out' },
      ])
  }
  const replicas = of('prometheus').map((one) => ({
    ...one,
    found: prometheusOn(one.program, { ...one, alertmanagers }),
  }))
  const members = of('alertmanager').map((one) => ({
    ...one,
    found: alertmanagerOn(one.program, { ...one, alertmanagers }),
  }))
  const nodes = of('node_exporter').map((one) => ({ ...one, found: nodeExporterOn(one.program, one.included) }))
  const exporters = seen.flatMap(({ look, parts, included: files }) =>
    parts
      .filter(({ program }) => program.exporter)
      .map((one) => ({ ...one, look, included: files, found: exporterOn(one.program, { ...one, included: files }) })),
  )
  const clients = replicas.flatMap(({ found }) => found.clients)
  const asked = (
    one: { readonly program: Program; readonly look: Look; readonly found: Asked },
    port: number,
  ): TreeMap => {
    const { settings, told } = askedWith(one, { clients, port })
    tell(one.look.host.name, [...one.found.told, ...told])
    return { ...one.found.settings, ...settings }
  }
  const files = new Map<string, string>()
  const byHost = <T>(some: readonly { readonly look: Look }[], value: (at: number) => T): ReadonlyMap<string, T> =>
    new Map(some.map(({ look }, at) => [look.host.name, value(at)]))

  const label = replicaLabel(replicas.map(({ found }) => mapIn(found.settings.external_labels)))
  const folders = foldersOf(
    replicas.map(({ look, found }) => ({ host: look.host.name, found })),
    { files, tell },
  )
  const prometheusSettings = sharedSettings(
    'prometheus',
    byHost(replicas, (at) => {
      const one = replicas[at] as (typeof replicas)[number]
      const { host } = one.look
      return withReplica(
        {
          ...asked(one, 9090),
          ...(folders.targets.has(host.name) && { target_folders: folders.targets.get(host.name) }),
        },
        { host: host.name, label },
      )
    }),
  )
  const memberFiles = sharedFiles(byHost(members, (at) => members[at]?.found.templates ?? []))
  const sameTemplates = memberFiles.own.size === 0
  for (const { name, text } of memberFiles.common) files.set(`templates/${name}`, text)
  if (!sameTemplates)
    for (const { look, found } of members)
      for (const { name, text } of found.templates) files.set(`templates-${look.host.name}/${name}`, text)
  const alertmanagerSettings = sharedSettings(
    'alertmanager',
    byHost(members, (at) => {
      const one = members[at] as (typeof members)[number]
      const settings = asked(one, 9093)
      return sameTemplates || settings.templates === undefined
        ? settings
        : { ...settings, templates: `templates-${one.look.host.name}` }
    }),
  )
  if (!sameTemplates)
    for (const [host, own] of memberFiles.own)
      tell(
        host,
        own.map(({ from }) => ({ kind: 'differs', where: from, what: 'is not the same on all hosts of alertmanager' })),
      )
  const nodeSettings = sharedSettings(
    'node_exporter',
    byHost(nodes, (at) => asked(nodes[at] as (typeof nodes)[number], 9100)),
  )
  const ofExporters = Map.groupBy(exporters, ({ look }) => look.host.name)

  const scrapedByAll = nodes.filter(({ look, found }) => {
    const target = nodeTarget(look.host, portOf(String(found.settings.listen ?? ':9100')))
    return replicas.every(({ found: one }) => one.scraped.includes(target))
  })
  const [node] = nodes
  const jobs = [
    ...new Set(['node', 'prometheus', 'alertmanager', ...exporters.map(({ program }) => program.exporter?.name ?? '')]),
  ]
  const canary =
    node && scrapedByAll.length === 0 && replicas.length > 0
      ? canaryJob(portOf(String(node.found.settings.listen ?? ':9100')))
      : {}
  const groups = new Map<string, { readonly hosts: readonly string[]; readonly vars: TreeMap }>()
  const names = (some: readonly { readonly look: Look }[]): readonly string[] => some.map(({ look }) => look.host.name)
  if (replicas.length > 0)
    groups.set('prometheus', {
      hosts: names(replicas),
      vars: {
        prometheus: {
          ...prometheusSettings.group,
          ...(label !== undefined && { replica_label: label }),
          // Their own jobs scrape what they scraped, under the names that its samples have.
          targets: { ...Object.fromEntries(jobs.map((job) => [job, null])), ...canary },
        },
        rules: {
          ...(folders.rules.common.length > 0 && { folders: ['rules'] }),
          self_monitoring: false,
          watchdog: false,
        },
      },
    })
  if (members.length > 0)
    groups.set('alertmanager', { hosts: names(members), vars: { alertmanager: alertmanagerSettings.group } })
  if (nodes.length > 0)
    groups.set('node_exporter', { hosts: names(nodes), vars: { node_exporter: nodeSettings.group } })
  for (const told of [...prometheusSettings.told, ...alertmanagerSettings.told, ...nodeSettings.told])
    notes.push({ ...told, host: '' })

  const adopted = seen
    .filter(({ parts }) => parts.length > 0)
    .map(({ look, parts }): AdoptedHost => {
      const { host } = look
      const own = folders.rules.own.has(host.name)
      const settings = {
        prometheus: prometheusSettings.hosts.get(host.name) ?? {},
        alertmanager: alertmanagerSettings.hosts.get(host.name) ?? {},
        node_exporter: nodeSettings.hosts.get(host.name) ?? {},
        rules: own ? { folders: [...(folders.rules.common.length > 0 ? ['rules'] : []), `rules-${host.name}`] } : {},
        exporters: Object.fromEntries(
          (ofExporters.get(host.name) ?? []).map((one) => [
            one.program.exporter?.name ?? '',
            asked(one, one.program.exporter?.port ?? 1),
          ]),
        ),
      }
      return {
        host,
        programs: parts.map(({ program }) => ({
          name: program.name,
          version: program.version,
          unit: program.process.unit,
        })),
        vars: Object.fromEntries(Object.entries(settings).filter(([, one]) => Object.keys(one).length > 0)),
      }
    })
  return { hosts: adopted, groups, files, notes, replicaLabel: label }
}

const knownAlertmanagers = (seen: readonly Seen[]): readonly Known[] =>
  seen.flatMap(({ look, parts }) =>
    parts
      .filter(({ program }) => program.name === 'alertmanager')
      .map(({ program }) => ({
        host: look.host,
        names: look.names,
        port: portOf(String(webOf(program, 9093).settings.listen ?? ':9093')),
      })),
  )

interface Asked {
  readonly settings: TreeMap
  readonly told: readonly Told[]
  readonly users: readonly string[]
  readonly tls: boolean
}

/** How Vestal and Prometheus are to ask a web server: as somebody does already. */
const askedWith = (
  { program, look, found }: { readonly program: Program; readonly look: Look; readonly found: Asked },
  { clients, port: usual }: { readonly clients: readonly Client[]; readonly port: number },
): { readonly settings: TreeMap; readonly told: readonly Told[] } => {
  const port = portOf(String(found.settings.listen ?? `:${usual}`))
  const known: Known = { host: look.host, names: look.names, port }
  const asking = clients.filter(({ targets }) => targets.some((target) => isAt(target, known, { look })))
  const user = [...asking, ...clients]
    .map(({ basic_auth }) => basic_auth)
    .find((one) => found.users.includes(textIn(one?.username) ?? '') && one?.password !== undefined)
  const trust = asking.find(({ tls_config }) => tls_config)?.tls_config
  const where = program.process.unit
  return {
    settings: {
      ...(user && found.users.length > 0 && { web_user: { username: user.username, password: user.password } }),
      ...(found.tls && trust && { web_client_tls: trust }),
    },
    told: [
      ...(found.users.length > 0 && !user
        ? [
            {
              kind: 'left',
              where,
              what: `its web port asks for a password, of which only the hash is there (users ${found.users.join(', ')})`,
              fix: 'Write one of them and its password as web_user: { username: NAME, password: { $env: NAME } }.',
            } as const,
          ]
        : []),
      ...(found.tls && !trust
        ? [
            {
              kind: 'look',
              where,
              what: 'its web port speaks TLS, and nobody says how to trust it: web_client_tls does',
            } as const,
          ]
        : []),
    ],
  }
}

/** The replica's name apart from its other labels. */
const withReplica = (
  settings: TreeMap,
  { host, label }: { readonly host: string; readonly label?: string },
): TreeMap => {
  if (label === undefined) return settings
  const { [label]: replica, ...labels } = mapIn(settings.external_labels)
  const { external_labels: _, alert_relabel_configs: steps, ...others } = settings
  const own = listIn(steps).filter((step, at) => at > 0 || !dropsLabel(step, label))
  return {
    ...others,
    ...(Object.keys(labels).length > 0 && { external_labels: labels }),
    ...(own.length > 0 && { alert_relabel_configs: own }),
    ...(replica !== undefined && replica !== host && { replica }),
  }
}

interface PrometheusFiles {
  readonly host: string
  readonly found: { readonly rules: readonly BroughtFile[]; readonly targets: readonly BroughtFile[] }
}

/** Folders of rules and of targets: one that all have, and one for each host that has others. */
const foldersOf = (
  replicas: readonly PrometheusFiles[],
  { files, tell }: { readonly files: Map<string, string>; tell(host: string, told: readonly Told[]): void },
) => {
  const rules = sharedFiles(new Map(replicas.map(({ host, found }) => [host, found.rules])))
  const targets = sharedFiles(new Map(replicas.map(({ host, found }) => [host, found.targets])))
  const put = (folder: string, some: readonly BroughtFile[]): void => {
    for (const { name, text } of some) files.set(`${folder}/${name}`, text)
  }
  put('rules', rules.common)
  put('targets', targets.common)
  for (const [kind, own] of [['rules', rules.own] as const, ['targets', targets.own] as const])
    for (const [host, some] of own) {
      put(`${kind}-${host}`, some)
      tell(
        host,
        some.map(
          ({ from }): Told => ({ kind: 'differs', where: from, what: 'is not the same on all hosts of prometheus' }),
        ),
      )
    }
  return {
    rules,
    targets: new Map<string, Tree>(
      replicas.flatMap(({ host }) => {
        const mine = [
          ...(targets.common.length > 0 ? ['targets'] : []),
          ...(targets.own.has(host) ? [`targets-${host}`] : []),
        ]
        return mine.length > 0 ? [[host, mine] as const] : []
      }),
    ),
  }
}
