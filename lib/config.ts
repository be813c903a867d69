import { existsSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InputError, type Mistake } from './errors.ts'
import { importFile } from './import-file.ts'
import type { Role } from './model.ts'
import type { Exporter } from './program/exporter.ts'

/** What a user's own `vestal.config` brings along. */
export interface Config {
  /** Roles beside those that come with Vestal; every command knows them as it knows its own. */
  readonly roles?: readonly Role[]
  /** Exporters beside those of the catalogue: what `exporters` in an inventory can name. */
  readonly exporters?: readonly Exporter[]
}

/** A configuration. Returned as it is; the call gives types and completion. @public */
export const config = (definition: Config): Config => definition

/** What the file is called; the first that is there counts. */
const NAMES = ['vestal.config.ts', 'vestal.config.mts', 'vestal.config.js', 'vestal.config.mjs']

/**
 * The configuration file that goes with these inventories: in the folder of one of them, in the folder above that, or in the folder where
 * the command was given; undefined where none is.
 */
export const findConfig = (inventories: readonly string[], here: string): string | undefined => {
  const own = inventories.map((path) => resolve(here, path)).map((path) => (isFolder(path) ? path : dirname(path)))
  const folders = [...own, ...own.map((folder) => dirname(folder)), here]
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find((path) => existsSync(path))
}

/** Loads a configuration file. Throws InputError, with the line where that is known, for one that cannot be loaded or makes no sense. */
export const loadConfig = async (file: string): Promise<Config> => {
  const { default: given } = await importFile(file).catch((error: unknown) => {
    throw error instanceof InputError ? error : new InputError([loadMistake(file, error)])
  })
  const mistakes = mistakesIn(file, given)
  if (mistakes.length > 0) throw new InputError(mistakes)
  return given as Config
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

/** Of what is thrown while a module loads, the first line of its stack that lies in a file of the user's is where. */
export const loadMistake = (file: string, error: unknown): Mistake => {
  const { message, stack = '' } = error instanceof Error ? error : new Error(String(error))
  const places = [...stack.matchAll(/(?:^|[\s(])((?:file:\/\/)?\/[^\s():]+):(\d+)(?::(\d+))?/gm)].map(
    ([, at = '', ...rest]) => ({
      path: at.startsWith('file:') ? fileURLToPath(at) : at,
      rest,
    }),
  )
  const own = places.find(({ path }) => existsSync(path) && !path.startsWith(HERE) && !path.includes('/node_modules/'))
  const where = own ? [own.path, ...own.rest].filter(Boolean).join(':') : file
  return { where, what: `cannot be loaded: ${message}`, fix: FIX }
}

/** The folder of this file, whose frames say nothing to a user. */
const HERE = fileURLToPath(new URL('.', import.meta.url))

const FIX =
  "Its default export is a configuration: export default config({ roles: [] }), with config from 'vestal/config'."

const mistakesIn = (file: string, given: unknown): readonly Mistake[] => {
  if (typeof given !== 'object' || given === null) return [{ where: file, what: 'has no default export', fix: FIX }]
  const { roles = [], exporters = [], ...rest } = given as Record<string, unknown>
  const unknown = Object.keys(rest).map((name) => ({
    where: file,
    path: name,
    what: 'no setting is called that',
    fix: FIX,
  }))
  return [
    ...unknown,
    ...notAll(file, roles, {
      setting: 'roles',
      is: isRole,
      fix: "A role is what role({ … }) from 'vestal/role' returns.",
    }),
    ...notAll(file, exporters, {
      setting: 'exporters',
      is: isExporter,
      fix: "An exporter is what exporter({ name, summary, release, port }) from 'vestal/program/exporter' returns.",
    }),
  ]
}

/** What of a setting is no list, or in it none of its kind. */
const notAll = (
  file: string,
  given: unknown,
  { setting, is, fix }: { readonly setting: 'roles' | 'exporters'; is(one: unknown): boolean; readonly fix: string },
): readonly Mistake[] => {
  if (!Array.isArray(given)) return [{ where: file, path: setting, what: `expected a list of ${setting}` }]
  const kind = setting.slice(0, -1)
  return given.flatMap((one: unknown, at) =>
    is(one) ? [] : [{ where: file, path: `${setting}.${at}`, what: `is no ${kind}`, fix }],
  )
}

const isExporter = (one: unknown): one is Exporter => {
  if (typeof one !== 'object' || one === null) return false
  const { name, summary, port, release } = one as Record<string, unknown>
  return (
    typeof name === 'string' &&
    /^[a-z0-9][a-z0-9_-]{0,30}$/.test(name) &&
    typeof summary === 'string' &&
    Number.isInteger(port) &&
    typeof release === 'object' &&
    release !== null &&
    ['owner', 'repo', 'name'].every((field) => typeof Reflect.get(release, field) === 'string') &&
    Array.isArray(Reflect.get(release, 'binaries'))
  )
}

const isRole = (one: unknown): one is Role =>
  typeof one === 'object' &&
  one !== null &&
  'name' in one &&
  typeof one.name === 'string' &&
  'tasks' in one &&
  typeof one.tasks === 'function' &&
  'varsOf' in one &&
  typeof one.varsOf === 'function'
