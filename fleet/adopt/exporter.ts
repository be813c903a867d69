/** node_exporter, and exporters of the catalogue, as they run, in the settings of their roles. */

import { Secret } from '../../lib/secret.ts'
import { type Configuration, configurationOf, type Included, unsealed } from './configuration.ts'
import { extraFlags, flagValue, type Program, pathOf, placeOf, replacesOf, type Told } from './program.ts'
import { environmentOf } from './unit-file.ts'
import { WEB_FLAGS, webOf } from './web.ts'
import { mapIn, type TreeMap } from './yaml-tree.ts'

export interface ExporterFound {
  readonly settings: TreeMap
  readonly told: readonly Told[]
  readonly users: readonly string[]
  readonly tls: boolean
}

/** The settings of node_exporter. */
export const nodeExporterOn = (program: Program, included: Included): ExporterFound => {
  const web = webOf(program, 9100, { included, account: 'node-exp' })
  const textfiles = textfilesOf(program)
  const collectors = [...program.flags].filter(
    ([name, values]) => /^collector\.[a-z0-9_]+$/.test(name) && values.every((value) => typeof value === 'boolean'),
  )
  const chosen = (on: boolean): readonly string[] =>
    collectors.filter(([, values]) => values.at(-1) === on).map(([name]) => name.slice('collector.'.length))
  const extra = extraFlags(program, [...WEB_FLAGS, ...collectors.map(([name]) => name), 'collector.textfile.directory'])
  return {
    settings: {
      version: program.version,
      ...replacesOf(program, { service: 'node_exporter', account: program.process.user }),
      ...web.settings,
      ...textfiles.settings,
      ...(collectors.length > 0 && {
        collectors: {
          ...(chosen(true).length > 0 && { enable: chosen(true) }),
          ...(chosen(false).length > 0 && { disable: chosen(false) }),
        },
      }),
      ...extra.settings,
    },
    told: [...web.told, ...textfiles.told, ...extra.told],
    users: web.users,
    tls: web.tls,
  }
}

/** Where others leave files of metrics for it. Root puts those of canary alerts there, and does so in no folder that somebody else could exchange. */
const textfilesOf = (program: Program): { readonly settings: TreeMap; readonly told: readonly Told[] } => {
  const named = flagValue(program, 'collector.textfile.directory') ?? ''
  if (named === '') return { settings: {}, told: [] }
  const folder = pathOf(program, named)
  const way = program.look.folders.get(folder)?.way ?? 'root'
  if (way === 'root') return { settings: { textfile_dir: folder }, told: [] }
  return {
    settings: {},
    told: [
      {
        kind: 'left',
        where: placeOf(program, 'collector.textfile.directory'),
        what: `${folder} lies in a folder of the account ${way}, where root writes nothing: files of metrics there won’t be read any more`,
        fix: 'Let whoever writes them write to /var/lib/node_exporter/textfile.',
      },
    ],
  }
}

/** An exporter's configuration, where it has one. */
export const exporterConfig = (program: Program) => {
  const flag = program.exporter?.config?.flag
  return flag === undefined ? { told: [] } : configurationOf(program, undefined, [flag])
}

/** The settings of an exporter of the catalogue. */
export const exporterOn = (
  program: Program,
  { config, included }: { readonly config?: Configuration; readonly included: Included },
): ExporterFound => {
  const { exporter } = program
  const web = webOf(program, exporter?.port ?? 1, { included, account: exporter?.release.name ?? '' })
  const own = config ? unsealed(config, included, exporter?.release.name ?? '') : undefined
  const environment = environmentFor(program)
  const known = [
    ...['web.listen-address', 'web.config.file'],
    exporter?.config?.flag ?? '',
    ...[exporter?.listenFlag ?? []].flat(),
    ...Object.keys(exporter?.flags ?? {}),
  ]
  const extra = extraFlags(program, known)
  const { listen, web_config } = web.settings
  return {
    settings: {
      version: program.version,
      ...replacesOf(program, { service: exporter?.release.name ?? '', account: program.process.user }),
      ...(listen !== undefined && { listen }),
      ...(web_config !== undefined && { web_config }),
      ...(own && { config: mapIn(own.tree) }),
      ...(environment.length > 0 && { environment: Object.fromEntries(environment) }),
      ...extra.settings,
    },
    told: [...web.told, ...(own?.told ?? []), ...extra.told],
    users: web.users,
    tls: web.tls,
  }
}

/** Of its unit's files of environment, what the exporter reads: where it has credentials from. */
const environmentFor = ({ look, process, exporter }: Program): readonly (readonly [string, Secret])[] => {
  const unit = look.units.find(({ name }) => name === process.unit)
  const known = Object.keys(exporter?.environment ?? {})
  return (unit?.paths ?? [])
    .filter((path) => !/\.(service|conf)$/.test(path))
    .flatMap((path) => environmentOf(look.files.get(path)?.text ?? ''))
    .filter(([name]) => known.includes(name))
    .map(([name, value]) => [name, new Secret(value)] as const)
}
