/** The settings of a web port: where it listens, what it is called outside, and its web configuration. */
import { posix } from 'node:path'
import { type Included, literal } from './configuration.ts'
import { staysAs, withKnownSecrets } from './credentials.ts'
import type { Wanted } from './look.ts'
import { fileOf, flagValue, onHost, type Program, pathOf, pathSeen, placeOf, type Told } from './program.ts'
import { isMapping, mapIn, readYaml, type TreeMap, textIn } from './yaml-tree.ts'

/** Flags that these settings stand for. */
export const WEB_FLAGS = ['web.listen-address', 'web.external-url', 'web.route-prefix', 'web.config.file', 'log.level']

export interface WebFound {
  readonly settings: TreeMap
  readonly told: readonly Told[]
  /** Names in `basic_auth_users`. */
  readonly users: readonly string[]
  readonly tls: boolean
}

/** What the files are known by that a web configuration names, and who is to read them. */
interface Readers {
  readonly included: Included
  /** The account that the service will have. */
  readonly account: string
}

/** What the flags of a program say of its web port. `port` is the one that it listens to without a flag. */
export const webOf = (program: Program, port: number, readers?: Readers): WebFound => {
  const told: Told[] = []
  const addresses = program.flags.get('web.listen-address') ?? []
  if (addresses.length > 1)
    told.push({
      kind: 'left',
      where: placeOf(program, 'web.listen-address'),
      what: `listens to ${addresses.length} addresses, and will listen to the first alone: ${addresses.join(', ')}`,
    })
  const listen = String(addresses[0] ?? `0.0.0.0:${port}`).replace(/^:/, '0.0.0.0:')
  const url = flagValue(program, 'web.external-url')
  const isUrl = url !== undefined && /^https?:\/\/[^/]/.test(url)
  if (url !== undefined && url !== '' && !isUrl)
    told.push({
      kind: 'left',
      where: placeOf(program, 'web.external-url'),
      what: `--web.external-url=${url} is no whole URL, which the setting external_url takes`,
      fix: 'Write the URL under which people reach it as external_url.',
    })
  const level = flagValue(program, 'log.level')
  const web = webConfigOf(program, readers)
  return {
    settings: {
      ...(listen !== `0.0.0.0:${port}` && { listen }),
      ...(isUrl && { external_url: url }),
      ...routePrefixOf(program, isUrl ? new URL(url).pathname : '/'),
      ...(web.config && { web_config: web.config }),
      ...(level !== undefined && level !== 'info' && { log_level: level }),
    },
    told: [...told, ...web.told],
    users: Object.keys(mapIn(web.config?.basic_auth_users)),
    tls: web.config?.tls_server_config !== undefined,
  }
}

/** Where its pages are, where that doesn't follow from `path`, that of its URL. Without the flag, they are where its URL leads, which may be a path alone. */
const routePrefixOf = (program: Program, path: string): TreeMap => {
  const url = flagValue(program, 'web.external-url') ?? ''
  const served = flagValue(program, 'web.route-prefix') ?? (url.startsWith('/') ? url : path)
  const [own, usual] = [served, path].map((one) => `/${one.replaceAll(/^\/+|\/+$/g, '')}`)
  return own === usual ? {} : { route_prefix: own }
}

/** The files that its web configuration names: whose they are, and who may read them. */
export const wantedByWeb = (program: Program): readonly Wanted[] =>
  Object.entries(mapIn(webConfigOf(program).config?.tls_server_config)).flatMap(([key, value]) =>
    key.endsWith('_file') && typeof value === 'string' ? [{ pattern: literal(value), text: false }] : [],
  )

const webConfigOf = (
  program: Program,
  readers?: Readers,
): { readonly config?: TreeMap; readonly told: readonly Told[] } => {
  const named = flagValue(program, 'web.config.file', 'web.config')
  if (named === undefined || named === '') return { told: [] }
  const path = pathOf(program, named)
  const text = fileOf(program, path)?.text
  if (text === undefined)
    return { told: [{ kind: 'left', where: path, what: 'its web configuration could not be read' }] }
  try {
    const { tree: written, at } = readYaml(path, text)
    const tree = withKnownSecrets(written)
    const tls = mapIn(mapIn(tree).tls_server_config)
    const folder = posix.dirname(pathSeen(program, named))
    const kept = Object.fromEntries(
      Object.entries(tls).map(([key, value]) => {
        const file = key.endsWith('_file') ? textIn(value) : undefined
        return [key, file === undefined ? value : onHost(program, posix.resolve(folder, file))]
      }),
    )
    const told = Object.entries(kept)
      .filter(([key]) => key.endsWith('_file'))
      .flatMap(([key, value]): readonly Told[] => {
        const where = at(['tls_server_config', key])
        const { included, account } = readers ?? {}
        const amiss =
          included && account !== undefined && typeof value === 'string'
            ? staysAs(value, included.files.get(value), { account, where })
            : []
        if (amiss.length > 0) return amiss
        return [{ kind: 'look', where, what: `${value} stays where it is on the machine` }]
      })
    return {
      config: { ...mapIn(tree), ...(isMapping(mapIn(tree).tls_server_config) && { tls_server_config: kept }) },
      told,
    }
  } catch (error) {
    return {
      told: [{ kind: 'left', where: path, what: `is no YAML: ${error instanceof Error ? error.message : error}` }],
    }
  }
}
