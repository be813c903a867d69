/** A program's configuration file, and the files that it names. */
import { posix } from 'node:path'
import { type Named, namedFiles, withSecrets } from './credentials.ts'
import type { FoundFile, Wanted } from './look.ts'
import { fileOf, flagValue, onHost, type Program, pathOf, pathSeen, placeOf, type Told } from './program.ts'
import { listIn, mapIn, readYaml, type Tree, type TreeMap, textIn, type Written } from './yaml-tree.ts'

export interface Configuration extends Written {
  readonly path: string
  /** The folder that it is in. */
  readonly folder: string
  /** It is a container's: what it names is mounted there from the host. */
  readonly contained: boolean
  /** Where on the host a path is that is written in it. */
  place(path: string): string
  readonly map: TreeMap
}
/** The configuration of a program; a note where there is none that could be read. */
export const configurationOf = (
  program: Program,
  usual: string | undefined,
  flags: readonly string[] = ['config.file'],
): { readonly config?: Configuration; readonly told: readonly Told[] } => {
  const named = flagValue(program, ...flags) ?? usual
  if (named === undefined || named === '') return { told: [] }
  const path = pathOf(program, named)
  const where = placeOf(program, flags[0] ?? '')
  const file = fileOf(program, path)
  const seen = pathSeen(program, named)
  if (file?.text === undefined) {
    const why =
      file?.why ??
      (program.process.mounted && path === seen ? 'is of its image, not mounted from the host' : 'could not be read')
    return { told: [{ kind: 'left', where, what: `names ${path}, which ${why}` }] }
  }
  try {
    const written = readYaml(path, file.text)
    const place = (one: string): string => onHost(program, posix.resolve(posix.dirname(seen), one))
    return {
      config: {
        ...written,
        path,
        folder: posix.dirname(path),
        contained: program.process.mounted !== undefined,
        place,
        map: mapIn(written.tree),
      },
      told: [],
    }
  } catch (error) {
    return {
      told: [{ kind: 'left', where: path, what: `is no YAML: ${error instanceof Error ? error.message : error}` }],
    }
  }
}

/** What is read of a host beside its configurations. */
export interface Included {
  /** Files by the pattern that names them, from the root. */
  readonly matches: ReadonlyMap<string, readonly FoundFile[]>
  readonly files: ReadonlyMap<string, FoundFile>
}

/** Patterns of files that a list of a configuration names, from the root. */
export const patternsIn = ({ place }: Configuration, list: Tree): readonly string[] =>
  listIn(list).flatMap((one) => {
    const text = textIn(one)
    return text === undefined ? [] : [place(text)]
  })

/** Files with secrets and certificates, as they are asked for. */
export const wantedSecrets = ({ tree, place }: Configuration): readonly Wanted[] =>
  namedFiles(tree, place).map(({ key, file }: Named) => ({
    pattern: literal(file),
    text: !/^(ca|cert|key)_file$/.test(key),
  }))

/** A path as a pattern that means nothing else. */
export const literal = (path: string): string => path.replaceAll(/[\\*?[]/g, '\\$&')

/** A file of a host that the inventory will bring. */
export interface BroughtFile {
  /** In the inventory's folder. */
  readonly name: string
  readonly text: string
  /** Where it was. */
  readonly from: string
}

/** Files under names of their own in one folder: the last part of their path, and more of it where two would be one. `ending` makes an ending that is read. */
export const named = (
  files: readonly FoundFile[],
  ending: (name: string) => string = (name) => name,
): { readonly brought: readonly BroughtFile[]; readonly told: readonly Told[] } => {
  const told: Told[] = files.flatMap(({ path, text, why }) =>
    text === undefined ? [{ kind: 'left', where: path, what: why ?? 'could not be read' }] : [],
  )
  const different = [...new Map(files.map((one) => [one.path, one])).values()]
  const taken = new Set<string>()
  const brought = different.flatMap(({ path, text }) => {
    if (text === undefined) return []
    const parts = path.split('/').filter(Boolean).map(plainName)
    let length = 1
    const name = (): string => ending(parts.slice(-length).join('-'))
    while (taken.has(name()) && length < parts.length) length += 1
    const chosen = taken.has(name()) ? `${taken.size}-${name()}` : name()
    taken.add(chosen)
    return [{ name: chosen, text, from: path }]
  })
  return { brought, told }
}

/** A name that can lead nowhere else and that no inventory takes for hidden. */
const plainName = (part: string): string => part.replaceAll(/[^\w.-]/g, '_').replace(/^[.-]+/, '_')

/** The configuration with its secrets found. */
export const unsealed = (config: Configuration, { files }: Included, account: string) =>
  withSecrets(config.tree, { place: config.place, files, account, at: config.at })
