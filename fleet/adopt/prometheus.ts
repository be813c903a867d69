/** A Prometheus as it runs, in the settings of its role. */
import major from 'semver/functions/major.js'
import type { Host } from '../../lib/model.ts'
import { joined } from '../../lib/program/web.ts'
import { CANARY_JOB } from '../../roles/prometheus/canary.ts'
import {
  type BroughtFile,
  type Configuration,
  configurationOf,
  type Included,
  named,
  patternsIn,
  unsealed,
  wantedSecrets,
} from './configuration.ts'
import type { FoundFile, Wanted } from './look.ts'
import {
  dataFolder,
  extraFlags,
  flagValue,
  ownAlready,
  type Program,
  placeOf,
  replacesOf,
  type Told,
} from './program.ts'
import { WEB_FLAGS, webOf } from './web.ts'
import { isMapping, listIn, mapIn, plainData, readYaml, type Tree, type TreeMap, textIn } from './yaml-tree.ts'

/** An Alertmanager that is taken over too, as others may call it. */
export interface Known {
  readonly host: Host
  readonly names: readonly string[]
  readonly port: number
}
/** Somebody who asks a web server, and how. */
export interface Client {
  readonly targets: readonly string[]
  readonly basic_auth?: TreeMap
  readonly tls_config?: TreeMap
}
export interface PrometheusFound {
  readonly settings: TreeMap
  readonly rules: readonly BroughtFile[]
  readonly targets: readonly BroughtFile[]
  readonly told: readonly Told[]
  readonly clients: readonly Client[]
  /** Every address that is scraped, as far as files tell. */
  readonly scraped: readonly string[]
  readonly users: readonly string[]
  readonly tls: boolean
}

const ACCOUNT = 'prometheus'
/** Sections that settings stand for, or that are handed on as they are. */
const SECTIONS = new Set([
  ...['global', 'rule_files', 'alerting', 'scrape_configs', 'scrape_config_files', 'remote_write', 'remote_read'],
  ...['storage', 'tracing', 'otlp', 'runtime'],
])
const FLAGS = [
  ...WEB_FLAGS,
  ...['config.file', 'storage.tsdb.path', 'storage.tsdb.retention', 'storage.tsdb.retention.time'],
  ...['storage.tsdb.retention.size', 'rules.alert.resend-delay'],
]

export const prometheusConfig = (program: Program) => configurationOf(program, 'prometheus.yml')

/** The files that its configuration names. */
export const wantedByPrometheus = (config: Configuration): readonly Wanted[] => [
  ...patternsIn(config, config.map.rule_files).map((pattern) => ({ pattern, text: true })),
  ...fileSds(config.map)
    .flatMap((sd) => patternsIn(config, sd.files))
    .map((pattern) => ({ pattern, text: true })),
  ...wantedSecrets(config),
]

/** Every `file_sd_configs` entry, of jobs and of Alertmanagers. */
const fileSds = (config: TreeMap): readonly TreeMap[] =>
  [...listIn(config.scrape_configs), ...listIn(mapIn(config.alerting).alertmanagers)].flatMap((one) =>
    listIn(mapIn(one).file_sd_configs).map(mapIn),
  )

/** What else was read of a program's host, and whom it may send to or be one with. */
export interface Surroundings {
  readonly config?: Configuration
  readonly included: Included
  readonly alertmanagers: readonly Known[]
}

/** Its settings, the files that go with them, and what they can't say. */
export const prometheusOn = (program: Program, { config, included, alertmanagers }: Surroundings): PrometheusFound => {
  const web = webOf(program, 9090, { included, account: ACCOUNT })
  const flags = flagSettings(program)
  const empty: FromConfig = { settings: {}, rules: [], targets: [], told: [], clients: [], scraped: [] }
  const file = config ? fromConfig(config, { program, included, alertmanagers }) : empty
  return {
    ...file,
    settings: {
      version: program.version,
      ...replacesOf(program, { service: 'prometheus', account: 'prometheus' }),
      ...web.settings,
      ...flags.settings,
      ...file.settings,
    },
    told: [...ownAlready(program), ...web.told, ...flags.told, ...file.told],
    users: web.users,
    tls: web.tls,
  }
}

const flagSettings = (program: Program): { readonly settings: TreeMap; readonly told: readonly Told[] } => {
  const told: Told[] = []
  const time = flagValue(program, 'storage.tsdb.retention.time', 'storage.tsdb.retention')
  const size = flagValue(program, 'storage.tsdb.retention.size')
  const resend = flagValue(program, 'rules.alert.resend-delay')
  const extra = extraFlags(program, FLAGS)
  const data = dataFolder(program, 'storage.tsdb.path')
  const folder = data.folder ?? ''
  const way = program.look.folders.get(folder)?.way ?? 'root'
  if (!['root', ACCOUNT].includes(way))
    told.push({
      kind: 'left',
      where: placeOf(program, 'storage.tsdb.path'),
      what: `${folder} lies in a folder of the account ${way}, who could put anything in its place: a deploy refuses to work there`,
      fix: `chown root the folders above ${folder}, or move it below /var/lib while it is stopped.`,
    })
  const isZero = (text: string): boolean => /^0+[a-z]*$/i.test(text)
  return {
    settings: {
      ...(data.folder !== undefined && { storage_dir: data.folder }),
      ...(((time !== undefined && !isZero(time)) || (size !== undefined && !isZero(size))) && {
        retention: {
          ...(time !== undefined && !isZero(time) && { time }),
          ...(size !== undefined && !isZero(size) && { size }),
        },
      }),
      ...(resend !== undefined && { resend_delay: resend }),
      ...extra.settings,
    },
    told: [...told, ...data.told, ...extra.told],
  }
}

type FromConfig = Pick<PrometheusFound, 'settings' | 'rules' | 'targets' | 'told' | 'clients' | 'scraped'>

const fromConfig = (
  config: Configuration,
  { program, included, alertmanagers }: Omit<Surroundings, 'config'> & { readonly program: Program },
): FromConfig => {
  const { tree, told: ofSecrets } = unsealed(config, included, ACCOUNT)
  const map = mapIn(tree)
  const { scrape_interval, scrape_timeout, evaluation_interval, external_labels, ...global } = mapIn(map.global)
  const rules = named(
    patternsIn(config, map.rule_files).flatMap((pattern) => included.matches.get(pattern) ?? []),
    (name) => `${name.replace(/\.(ya?ml|rules)$/, '')}.yml`,
  )
  const unmatched = patternsIn(config, map.rule_files).flatMap((pattern, at): readonly Told[] =>
    (included.matches.get(pattern) ?? []).length > 0
      ? []
      : [{ kind: 'look', where: config.at(['rule_files', at]), what: `${pattern} finds no file` }],
  )
  const brought = targetFiles(config, included)
  const jobs = listIn(map.scrape_configs).map((job, at) =>
    withFiles(mapIn(job), brought, { config, path: ['scrape_configs', at] }),
  )
  const alerting = alertingOf(mapIn(map.alerting), { config, included, alertmanagers, program, brought })
  const unknown = Object.keys(map).filter((name) => !SECTIONS.has(name))
  // From 3.0 on it expands variables of its environment in them, and reads `$$` as `$`, which the role writes again (docs/migration.md).
  const expands = major(program.version) >= 3
  const labels = Object.entries(mapIn(external_labels)).map(([name, value]): [string, string] => {
    const text = textIn(value) ?? ''
    return [name, expands ? text.replaceAll('$$', '$') : text]
  })
  const expanded = Object.entries(mapIn(external_labels)).filter(
    ([, value]) => expands && /(?<!\$)(?:\$\$)*\$(?!\$)/.test(textIn(value) ?? ''),
  )
  const rest = Object.fromEntries(
    ['remote_write', 'remote_read', 'storage', 'tracing', 'otlp', 'runtime']
      .filter((name) => map[name] !== undefined && map[name] !== null)
      .map((name) => [name, map[name]]),
  )
  return {
    settings: {
      // Prometheus' own where its file says nothing (config/config.go, DefaultGlobalConfig).
      scrape_interval: scrape_interval ?? '1m',
      ...(scrape_timeout !== undefined && { scrape_timeout }),
      evaluation_interval: evaluation_interval ?? '1m',
      ...(labels.length > 0 && {
        external_labels: Object.fromEntries(labels),
      }),
      ...(Object.keys(global).length > 0 && { global }),
      ...alerting.settings,
      ...(jobs.length > 0 && { scrape_configs: jobs.map(({ job }) => job) }),
      ...(listIn(map.scrape_config_files).length > 0 && {
        scrape_config_files: patternsIn(config, map.scrape_config_files),
      }),
      ...rest,
    },
    rules: rules.brought,
    targets: brought.files,
    told: [
      ...ofSecrets,
      ...rules.told,
      ...unmatched,
      ...brought.told,
      ...jobs.flatMap(({ told }) => told),
      ...alerting.told,
      ...expanded.map(
        ([name]): Told => ({
          kind: 'left',
          where: config.at(['global', 'external_labels', name]),
          what: `the external label ${name} has a variable of Prometheus’ environment in it, which would be taken as text`,
          fix: 'Write its value.',
        }),
      ),
      ...unknown.map(
        (name): Told => ({
          kind: 'left',
          where: config.at([name]),
          what: `has a section ${name}, which no setting stands for`,
        }),
      ),
      ...patternsIn(config, map.scrape_config_files).map(
        (path, at): Told => ({
          kind: 'look',
          where: config.at(['scrape_config_files', at]),
          what: `${path} stays where it is on the machine, and is read from there`,
        }),
      ),
      ...labels
        .filter(([name]) => name.startsWith('__'))
        .map(
          ([name]): Told => ({
            kind: 'left',
            where: config.at(['global', 'external_labels', name]),
            what: `the external label ${name} belongs to Prometheus’ own, which external_labels does not take`,
            fix: 'For an HA tracker, set ha_tracker: true in the remote_write entry.',
          }),
        ),
    ],
    clients: [...listIn(map.scrape_configs), ...listIn(mapIn(map.alerting).alertmanagers)].map((one) =>
      clientOf(mapIn(one), { config, included }),
    ),
    scraped: listIn(map.scrape_configs).flatMap((job) => targetsIn(mapIn(job), { config, included })),
  }
}

interface Reading {
  readonly config: Configuration
  readonly included: Included
}

const clientOf = (one: TreeMap, reading: Reading): Client => ({
  targets: targetsIn(one, reading),
  ...(isMapping(one.basic_auth) && { basic_auth: one.basic_auth }),
  ...(isMapping(one.tls_config) && { tls_config: one.tls_config }),
})

/** Addresses of a job's static targets and of those in its files. */
const targetsIn = (job: TreeMap, { config, included }: Reading): readonly string[] => {
  const listed = (configs: Tree): readonly string[] =>
    listIn(configs).flatMap((one) => listIn(mapIn(one).targets).flatMap((target) => textIn(target) ?? []))
  const files = listIn(job.file_sd_configs)
    .flatMap((sd) => patternsIn(config, mapIn(sd).files))
    .flatMap((pattern) => included.matches.get(pattern) ?? [])
  return [
    ...listed(job.static_configs),
    ...files.flatMap(({ path, text }) => {
      try {
        return text === undefined ? [] : listed(readYaml(path, text).tree)
      } catch {
        return []
      }
    }),
  ]
}

interface Brought {
  readonly files: readonly BroughtFile[]
  readonly told: readonly Told[]
  /** What is written for a pattern; undefined where its files stay. Empty where it finds none. */
  instead(pattern: string): readonly string[] | undefined
}

/** Files of targets below the folder of the configuration go with it; those elsewhere are somebody else's, and stay. */
const targetFiles = (config: Configuration, included: Included): Brought => {
  const own = (path: string): boolean =>
    path.startsWith(`${config.folder}/`) || path.startsWith('/etc/prometheus/') || config.contained
  const all = [...new Set(fileSds(config.map).flatMap((sd) => patternsIn(config, sd.files)))]
  const matched = all.filter(own).flatMap((pattern) => included.matches.get(pattern) ?? [])
  const { brought, told } = named(matched)
  const nameOf = (file: FoundFile): readonly string[] =>
    brought.filter(({ from }) => from === file.path).map(({ name }) => `targets/${name}`)
  return {
    files: brought,
    told: [
      ...told,
      ...all
        .filter((pattern) => !own(pattern))
        .map(
          (pattern): Told => ({
            kind: 'look',
            where: config.path,
            what: `${pattern} stays where it is on the machine: whoever writes it goes on doing so`,
          }),
        ),
    ],
    instead: (pattern) => (own(pattern) ? (included.matches.get(pattern) ?? []).flatMap(nameOf) : undefined),
  }
}

/** A job, whose files of targets are where the inventory brings them. */
const withFiles = (
  job: TreeMap,
  brought: Brought,
  { config, path }: { readonly config: Configuration; readonly path: readonly (string | number)[] },
): { readonly job: TreeMap; readonly told: readonly Told[] } => {
  if (job.file_sd_configs === undefined) return { job, told: [] }
  const told: Told[] = []
  const sds = listIn(job.file_sd_configs).flatMap((sd, at) => {
    const files = patternsIn(config, mapIn(sd).files).flatMap((pattern, which) => {
      const instead = brought.instead(pattern)
      if (instead?.length === 0)
        told.push({
          kind: 'left',
          where: config.at([...path, 'file_sd_configs', at, 'files', which]),
          what: `${pattern} finds no file, so this job’s targets from there are left out`,
          fix: 'Put a file of targets into the folder targets, and name it here, once there are some.',
        })
      return instead ?? [pattern]
    })
    return files.length > 0 ? [{ ...mapIn(sd), files: [...new Set(files)] }] : []
  })
  const { file_sd_configs: _, ...others } = job
  return { job: { ...others, ...(sds.length > 0 && { file_sd_configs: sds }) }, told }
}

interface AroundAlerting extends Reading {
  readonly alertmanagers: readonly Known[]
  readonly program: Program
  readonly brought: Brought
}

/** Fields of an entry that follow from the Alertmanagers' own settings. */
const FOLLOWING = new Set([
  'static_configs',
  'file_sd_configs',
  'scheme',
  'path_prefix',
  'api_version',
  'basic_auth',
  'tls_config',
])

/** Alertmanagers that are taken over are sent to by their group; all others as they are written. */
const alertingOf = (
  alerting: TreeMap,
  { config, included, alertmanagers, program, brought }: AroundAlerting,
): { readonly settings: TreeMap; readonly told: readonly Told[] } => {
  const told: Told[] = []
  const sent = new Set<Known>()
  const others = listIn(alerting.alertmanagers).flatMap((one, at) => {
    const entry = mapIn(one)
    const path = ['alerting', 'alertmanagers', at]
    const targets = targetsIn(entry, { config, included })
    const ours = targets.map((target) => alertmanagers.find((known) => isAt(target, known, program)))
    for (const known of ours) if (known) sent.add(known)
    if (targets.length > 0 && ours.every(Boolean)) {
      for (const key of Object.keys(entry).filter((name) => !FOLLOWING.has(name)))
        told.push({
          kind: 'left',
          where: config.at([...path, key]),
          what: `${key} of Alertmanagers that are taken over is no setting`,
        })
      return []
    }
    const { job, told: ofFiles } = withFiles(entry, brought, { config, path })
    told.push(...ofFiles)
    if (!ours.some(Boolean)) return [job]
    const rest = targets.filter((_, which) => !ours[which])
    const { file_sd_configs: _, static_configs: __, ...fields } = job
    return [{ ...fields, static_configs: [{ targets: rest }] }]
  })
  const missed = alertmanagers.filter((known) => !sent.has(known))
  if (missed.length > 0)
    told.push({
      kind: 'look',
      where: config.at(['alerting']),
      what: `doesn’t send to ${missed.map(({ host }) => host.name).join(', ')}, as it will: Vestal’s Prometheus sends to the whole group alertmanager`,
    })
  const steps = listIn(alerting.alert_relabel_configs)
  const unknown = Object.keys(alerting).filter((name) => !['alertmanagers', 'alert_relabel_configs'].includes(name))
  return {
    settings: {
      ...(others.length > 0 && { alerting: { alertmanagers: others } }),
      ...(steps.length > 0 && { alert_relabel_configs: steps }),
    },
    told: [
      ...told,
      ...unknown.map(
        (name): Told => ({
          kind: 'left',
          where: config.at(['alerting', name]),
          what: `alerting.${name} is no setting`,
        }),
      ),
    ],
  }
}

/** Whether a target is this Alertmanager, by any of its names; `localhost` is the host that says so. */
export const isAt = (target: string, { host, names, port }: Known, { look }: Pick<Program, 'look'>): boolean => {
  const [, address = '', at] = /^(?:https?:\/\/)?\[?(.*?)\]?(?::(\d+))?\/?$/.exec(target) ?? []
  if (Number(at ?? 9093) !== port) return false
  return names.includes(address) || (/^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(address) && host === look.host)
}

/**
 * Labels that tell replicas apart: the name of the one that every replica has with a value of its own, or that is called so; undefined where there is
 * none.
 */
export const replicaLabel = (labels: readonly TreeMap[]): string | undefined => {
  const [first = {}] = labels
  const names = Object.keys(first).filter(
    (name) => labels.every((one) => one[name] !== undefined) && !name.startsWith('__'),
  )
  const own = names.filter(
    (name) => labels.length > 1 && new Set(labels.map((one) => String(one[name]))).size === labels.length,
  )
  return own.find((name) => /replica/i.test(name)) ?? own[0] ?? names.find((name) => /replica/i.test(name))
}

/** A relabelling step that takes the replica label off alerts, which Vestal does by itself. */
export const dropsLabel = (step: Tree, label: string): boolean => {
  const { action, regex, ...others } = mapIn(plainData(step))
  return action === 'labeldrop' && regex === label && Object.keys(others).length === 0
}

/** A job of its own for canary alerts where none of theirs reads a machine of ours. */
export const canaryJob = (port: number): TreeMap => ({
  [CANARY_JOB]: {
    group: 'node_exporter',
    port,
    config: {
      params: { 'collect[]': ['textfile'] },
      metric_relabel_configs: [{ source_labels: ['__name__'], regex: 'vestal_canary_.+', action: 'keep' }],
    },
  },
})

/** A machine's node_exporter as a target. */
export const nodeTarget = (host: Host, port: number): string => joined(host.address, port)
