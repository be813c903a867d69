import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isMap } from 'yaml'
import { InputError, type Mistake } from '../../lib/errors.ts'
import { importFile } from '../../lib/import-file.ts'
import { isFolder, readText } from '../../lib/inventory/files.ts'
import { collectMistakes, type Mistakes } from '../../lib/inventory/mistakes.ts'
import { placeOf } from '../../lib/inventory/schema/explain.ts'
import { readSecrets } from '../../lib/inventory/yaml/secrets.ts'
import { parseSource, positionOf } from '../../lib/inventory/yaml/source.ts'
import { variableReader } from '../../lib/inventory/yaml/variable.ts'
import { sealKnownSecrets } from '../../lib/known-secrets.ts'
import { tenantsOfTeams } from './teams.ts'
import { isTenantName, type Tenant, type TenantConfig } from './tenant.ts'
import { mistakesIn } from './validate.ts'

/** The tenants of a folder. */
export interface LoadedTenants {
  /** Those that nothing is wrong with, by name. */
  readonly tenants: readonly Tenant[]
  /** The others, each with all that is wrong with it. */
  readonly invalid: readonly InvalidTenant[]
}
export interface InvalidTenant {
  readonly name: string
  readonly mistakes: readonly Mistake[]
}
interface Found {
  readonly name: string
  readonly file: string
  /** undefined where it can't be read. */
  readonly tenant?: Tenant
  readonly mistakes: readonly Mistake[]
}

interface Loading {
  /** The folder of teams that are tenants too, and the label that says whose an alert is. */
  readonly teams?: { readonly folder: string; readonly label: string }
  readonly env?: NodeJS.ProcessEnv
}

/**
 * The tenants of a folder: `NAME.yml` (`.yaml`, `.json`) is the configuration of one, `*.tmpl` in the folder `NAME` are its templates; a module
 * (`.ts`, `.mts`, `.js`, `.mjs`) exports many, or a function that returns them. With `teams`, each team is one more, and the folder need not be there.
 * Throws InputError where the folder is not there, a module gives no tenants, or a file of teams has mistakes: what belongs to no tenant.
 */
export const loadTenants = async (
  folder: string,
  { teams, env = process.env }: Loading = {},
): Promise<LoadedTenants> => {
  const there = existsSync(folder) && isFolder(folder)
  if (!there && !teams)
    throw new InputError([
      {
        where: folder,
        what: 'there is no such folder of tenants',
        fix: 'It is `cortex_alertmanager.tenants.folder`, relative to the inventory.',
      },
    ])
  const entries = (there ? readdirSync(folder) : [])
    .filter((entry) => !entry.startsWith('.') && !isFolder(join(folder, entry)))
    .sort()
  const made = await Promise.all(
    entries.filter((entry) => /\.m?[jt]s$/.test(entry)).map((entry) => generated(join(folder, entry))),
  )
  const files = entries.flatMap((entry) => {
    const name = /^(.+)\.(?:ya?ml|json)$/.exec(entry)?.[1]
    return name === undefined ? [] : [inFile(name, join(folder, entry), env)]
  })
  const byName = [
    ...Map.groupBy([...files, ...made.flat(), ...(teams ? ofTeams(teams, env) : [])], ({ name }) => name),
  ].sort(([one], [other]) => (one < other ? -1 : 1))
  const all = byName.map(([name, some]) => {
    const [first, ...others] = some
    const twice = others.map(({ file }) => ({
      where: file,
      what: `the tenant ${name} is there already: ${first?.file}`,
      fix: 'Keep one.',
    }))
    return { name, tenant: first?.tenant, mistakes: [...some.flatMap(({ mistakes }) => mistakes), ...twice] }
  })
  return {
    tenants: all.flatMap(({ tenant, mistakes }) => (tenant && mistakes.length === 0 ? [tenant] : [])),
    invalid: all.filter(({ mistakes }) => mistakes.length > 0).map(({ name, mistakes }) => ({ name, mistakes })),
  }
}

const ofTeams = ({ folder, label }: Required<Loading>['teams'], env: NodeJS.ProcessEnv): readonly Found[] =>
  tenantsOfTeams(folder, { label, env }).map(({ name, config, where }): Found => {
    if (!isTenantName(name))
      return {
        name,
        file: where,
        mistakes: [{ where, path: name, what: 'this team can be no tenant by that name', fix: NAME_FIX }],
      }
    return {
      name,
      file: where,
      tenant: { name, config, templates: {}, file: where },
      mistakes: mistakesIn(config, []).map(({ path, what, fix }) => ({
        where,
        path: [name, ...path].join('.'),
        what,
        fix,
      })),
    }
  })

const inFile = (name: string, file: string, env: NodeJS.ProcessEnv): Found => {
  const mistakes = collectMistakes()
  const tenant = read(name, { file, env, mistakes })
  return { name, file, tenant, mistakes: gathered(mistakes) }
}

const read = (
  name: string,
  { file, env, mistakes }: { readonly file: string; readonly env: NodeJS.ProcessEnv; readonly mistakes: Mistakes },
): Tenant | undefined => {
  if (!isTenantName(name)) {
    mistakes.add(file, { what: `${JSON.stringify(name)} is no name of a tenant`, fix: NAME_FIX })
    return undefined
  }
  const source = parseSource({ file, text: readText(file) }, mistakes)
  if (!source) return undefined
  const { root } = source
  if (!root || !isMap(root)) {
    mistakes.add(root ? positionOf(source, root) : file, { path: name, what: NO_CONFIG, fix: CONFIG_FIX })
    return undefined
  }
  const variable = variableReader(readSecrets(env, mistakes))(source, { name, key: root, value: root })
  const config = sealKnownSecrets(variable.value()) as TenantConfig
  const templates = templatesIn(file.replace(/\.[a-z]+$/, ''))
  for (const { path, what, fix } of mistakesIn(config, Object.keys(templates)))
    mistakes.add(placeOf(variable, path), { path: [name, ...path].join('.'), what, fix })
  return { name, config, templates, file }
}

const NAME_FIX = "letters, digits and !-_.*'()"
const NO_CONFIG = 'expected an Alertmanager configuration'
const CONFIG_FIX = 'route: …, receivers: …'

const gathered = (mistakes: Mistakes): readonly Mistake[] => {
  try {
    mistakes.throwAny()
    return []
  } catch (error) {
    if (error instanceof InputError) return error.mistakes
    throw error
  }
}

const templatesIn = (folder: string): Tenant['templates'] =>
  existsSync(folder) && isFolder(folder)
    ? Object.fromEntries(
        readdirSync(folder)
          .filter((name) => name.endsWith('.tmpl'))
          .sort()
          .map((name) => [name, readText(join(folder, name))]),
      )
    : {}

const FIX = 'Its default export is { NAME: configuration, … }, or a function that returns that.'

const generated = async (file: string): Promise<readonly Found[]> => {
  let made: unknown
  try {
    const { default: given } = await importFile(file)
    made = typeof given === 'function' ? await given() : given
  } catch (error) {
    throw new InputError([
      { where: file, what: `cannot be used: ${error instanceof Error ? error.message : error}`, fix: FIX },
    ])
  }
  if (typeof made !== 'object' || made === null || Array.isArray(made))
    throw new InputError([{ where: file, what: 'gives no tenants', fix: FIX }])
  return Object.entries(made).map(([name, given]: [string, unknown]): Found => {
    const wrong = (path: string, what: string, fix?: string): Mistake => ({ where: file, path, what, fix })
    if (!isTenantName(name)) return { name, file, mistakes: [wrong(name, 'is no name of a tenant', NAME_FIX)] }
    if (typeof given !== 'object' || given === null || Array.isArray(given))
      return { name, file, mistakes: [wrong(name, NO_CONFIG, CONFIG_FIX)] }
    const config = sealKnownSecrets(given) as TenantConfig
    return {
      name,
      file,
      tenant: { name, config, templates: {}, file },
      mistakes: mistakesIn(config, []).map(({ path, what, fix }) => wrong([name, ...path].join('.'), what, fix)),
    }
  })
}
