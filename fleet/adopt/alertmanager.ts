/** An Alertmanager as it runs, in the settings of its role. */
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
import type { Wanted } from './look.ts'
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
import { isAt, type Known, type Surroundings } from './prometheus.ts'
import { WEB_FLAGS, webOf } from './web.ts'
import { mapIn, type Tree, type TreeMap } from './yaml-tree.ts'

export interface AlertmanagerFound {
  readonly settings: TreeMap
  readonly templates: readonly BroughtFile[]
  readonly told: readonly Told[]
  readonly users: readonly string[]
  readonly tls: boolean
}

const CLUSTER: Readonly<Record<string, string>> = {
  'cluster.label': 'label',
  'cluster.peer-timeout': 'peer_timeout',
  'cluster.gossip-interval': 'gossip_interval',
  'cluster.pushpull-interval': 'pushpull_interval',
  'cluster.settle-timeout': 'settle_timeout',
  'cluster.reconnect-timeout': 'reconnect_timeout',
}
const FLAGS = [
  ...WEB_FLAGS,
  ...Object.keys(CLUSTER),
  ...['config.file', 'storage.path', 'data.retention'],
  ...['cluster.listen-address', 'cluster.advertise-address', 'cluster.peer', 'cluster.peer-name'],
]

export const alertmanagerConfig = (program: Program) => configurationOf(program, 'alertmanager.yml')

export const wantedByAlertmanager = (config: Configuration): readonly Wanted[] => [
  ...templatePatterns(config).map((pattern) => ({ pattern, text: true })),
  ...wantedSecrets(config),
]

const templatePatterns = (config: Configuration): readonly string[] => patternsIn(config, config.map.templates)

/** Its settings, the files that go with them, and what they can't say. */
export const alertmanagerOn = (
  program: Program,
  { config, included, alertmanagers }: Surroundings,
): AlertmanagerFound => {
  const web = webOf(program, 9093, { included, account: 'alertmanager' })
  const file = config ? fromConfig(config, included) : { settings: {}, templates: [], told: [] }
  const retention = flagValue(program, 'data.retention')
  const cluster = clusterOf(program, alertmanagers)
  const data = dataOf(program)
  const extra = extraFlags(program, FLAGS)
  return {
    settings: {
      version: program.version,
      ...replacesOf(program, { service: 'alertmanager', account: 'alertmanager' }),
      ...web.settings,
      ...data.settings,
      ...(retention !== undefined && { retention }),
      ...cluster.settings,
      ...extra.settings,
      ...file.settings,
    },
    templates: file.templates,
    told: [...ownAlready(program), ...web.told, ...data.told, ...extra.told, ...cluster.told, ...file.told],
    users: web.users,
    tls: web.tls,
  }
}

/** Where its data is; and where it goes, as a service of Vestal's can't own what lies in a folder of somebody else. */
const dataOf = (program: Program): { readonly settings: TreeMap; readonly told: readonly Told[] } => {
  const { folder, told } = dataFolder(program, 'storage.path')
  if (folder === undefined) return { settings: {}, told }
  const way = program.look.folders.get(folder)?.way ?? 'root'
  if (['root', 'alertmanager'].includes(way)) return { settings: { data_dir: folder }, told }
  if (program.process.mounted)
    return {
      settings: {},
      told: [
        {
          kind: 'left',
          where: program.process.unit,
          what: `${folder} lies in a folder of the account ${way}: its silences and notification log are left there`,
          fix: `Once it is stopped, move ${folder} below /var/lib, and name it there as data_dir.`,
        },
      ],
    }
  return {
    settings: { replaces: [program.process.unit], replaces_data: folder },
    told: [
      {
        kind: 'look',
        where: placeOf(program, 'storage.path'),
        what: `${folder} lies in a folder of the account ${way}: its silences and notification log are brought to /var/lib/alertmanager, which is the service’s own`,
      },
    ],
  }
}

const clusterOf = (
  program: Program,
  alertmanagers: readonly Known[],
): { readonly settings: TreeMap; readonly told: readonly Told[] } => {
  const told: Told[] = []
  const listen = flagValue(program, 'cluster.listen-address')
  const alone = listen === ''
  const own = alertmanagers.find(({ host }) => host === program.look.host)
  const others = alertmanagers.filter((known) => known !== own)
  const peers = (program.flags.get('cluster.peer') ?? []).map(String)
  const unknown = peers.filter((peer) => !alertmanagers.some((known) => isPeer(peer, known, program)))
  if (unknown.length > 0)
    told.push({
      kind: 'left',
      where: placeOf(program, 'cluster.peer'),
      what: `its peers ${unknown.join(', ')} are none of the Alertmanagers that are taken over`,
      fix: 'Adopt them with the others: the members of group alertmanager are one cluster.',
    })
  const missed = others.filter((known) => !peers.some((peer) => isPeer(peer, known, program)))
  if (missed.length > 0 && (alone || peers.length === 0))
    told.push({
      kind: 'look',
      where: placeOf(program, 'cluster.listen-address'),
      what: `stands alone, and will be one cluster with ${missed.map(({ host }) => host.name).join(', ')}: all hosts of group alertmanager are`,
    })
  const port = Number(/:(\d+)$/.exec(listen ?? '')?.[1] ?? 9094)
  const advertised = flagValue(program, 'cluster.advertise-address')
    ?.replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
  const cluster = {
    ...(port !== 9094 && { port }),
    ...(advertised !== undefined &&
      advertised !== '' &&
      advertised !== program.look.host.address && { advertise_address: advertised }),
    ...Object.fromEntries(
      Object.entries(CLUSTER).flatMap(([flag, setting]) => {
        const value = flagValue(program, flag)
        return value === undefined || value === '' ? [] : [[setting, value]]
      }),
    ),
  }
  return { settings: Object.keys(cluster).length > 0 ? { cluster } : {}, told }
}

const isPeer = (peer: string, known: Known, program: Program): boolean =>
  isAt(peer.replace(/:\d+$/, `:${known.port}`), known, program)

const fromConfig = (
  config: Configuration,
  included: Included,
): { readonly settings: TreeMap; readonly templates: readonly BroughtFile[]; readonly told: readonly Told[] } => {
  const { tree, told } = unsealed(config, included, 'alertmanager')
  const { templates: _, ...map } = mapIn(tree) as Readonly<Record<string, Tree>>
  const templates = named(
    templatePatterns(config).flatMap((pattern) => included.matches.get(pattern) ?? []),
    (name) => (name.endsWith('.tmpl') ? name : `${name}.tmpl`),
  )
  return {
    settings: { ...(templates.brought.length > 0 && { templates: 'templates' }), config: map },
    templates: templates.brought,
    told: [...told, ...templates.told],
  }
}
