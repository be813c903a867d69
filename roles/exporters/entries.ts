import type { Host, WebServer } from '../../lib/model.ts'
import { certified } from '../../lib/program/certified.ts'
import type { Exporter } from '../../lib/program/exporter.ts'
import { type ExporterVars, exportersVars, exporterVars, KEY } from './vars.ts'

/** One exporter as hosts have it: an entry of their `exporters`. */
export interface Entry {
  /** What the inventory calls it. */
  readonly name: string
  readonly exporter: Exporter
}
/** The settings of an entry on a host. */
export type Settings = ExporterVars & { readonly listen: string; readonly certified?: boolean }

/** What a host has under `exporters`, by name, enabled or not. */
export const entriesOf = (host: Host): Readonly<Record<string, ExporterVars>> => {
  const before = known.get(host)
  if (before) return before
  // A host that has no role of ours may have anything there.
  const written = exportersVars.safeParse(host.vars[KEY] ?? {}).data ?? {}
  const now = Object.fromEntries(
    Object.entries(written).map(([name, entry]) => [name, entry ?? exporterVars.parse({})]),
  )
  known.set(host, now)
  return now
}
const known = new WeakMap<Host, Readonly<Record<string, ExporterVars>>>()

/** Which exporter an entry is: the one that it names, else that of its own name; undefined for one that is not in the catalogue. */
export const exporterOf = (
  catalogue: readonly Exporter[],
  name: string,
  { exporter = name }: Pick<ExporterVars, 'exporter'>,
): Exporter | undefined => catalogue.find((one) => one.name === exporter)

/** Every entry that is enabled on one of these hosts, each once, in the order of the catalogue. One name is one exporter everywhere. */
export const entriesOn = (catalogue: readonly Exporter[], hosts: readonly Host[]): readonly Entry[] => {
  const found = new Map<string, Entry>()
  for (const host of hosts)
    for (const [name, entry] of Object.entries(entriesOf(host))) {
      const exporter = exporterOf(catalogue, name, entry)
      if (exporter && entry.enabled && !found.has(name)) found.set(name, { name, exporter })
    }
  const place = new Map(catalogue.map((one, at) => [one, at]))
  return [...found.values()].sort(
    (a, b) => (place.get(a.exporter) ?? 0) - (place.get(b.exporter) ?? 0) || (a.name < b.name ? -1 : 1),
  )
}

/** The settings of an entry on a host, with what its exporter gives, and the certificate that its web server has there. */
export const settingsOn = ({ name, exporter }: Entry, host: Host): Settings => {
  const entry = entriesOf(host)[name] ?? exporterVars.parse({})
  const settings = { ...entry, listen: entry.listen ?? `0.0.0.0:${exporter.port}` }
  const web = webOf({ name, exporter })
  return web ? certified(host, settings, web) : settings
}

/** Whether a host has an entry, as that exporter. */
export const isEnabled = ({ name, exporter }: Entry, host: Host): boolean => {
  const entry = entriesOf(host)[name]
  return entry?.enabled === true && (entry.exporter ?? name) === exporter.name
}

/** The name of an entry's service: that of the program, and of the entry where that is called otherwise. */
export const serviceOf = ({ name, exporter }: Entry): string =>
  name === exporter.name ? exporter.release.name : `${exporter.release.name}-${name}`

/** The account that an exporter runs as. */
export const userOf = ({ runsAs, release }: Exporter): string => runsAs ?? release.name

/** The folder of an entry's files. */
export const folderOf = (entry: Entry): string => `/etc/${serviceOf(entry)}`

/** An entry's web server, where that can be given a certificate: where it reads a web configuration. */
export const webOf = (entry: Entry): WebServer | undefined =>
  entry.exporter.webConfigFlag === null
    ? undefined
    : { role: serviceOf(entry), folder: folderOf(entry), user: userOf(entry.exporter) }
