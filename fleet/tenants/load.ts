import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isMap } from 'yaml'
import { InputError } from '../../lib/errors.ts'
import { importFile } from '../../lib/import-file.ts'
import { isFolder, readText } from '../../lib/inventory/files.ts'
import { collectMistakes, type Mistakes } from '../../lib/inventory/mistakes.ts'
import { placeOf } from '../../lib/inventory/schema/explain.ts'
import { readSecrets } from '../../lib/inventory/yaml/secrets.ts'
import { parseSource, positionOf } from '../../lib/inventory/yaml/source.ts'
import { variableReader } from '../../lib/inventory/yaml/variable.ts'
import { sealKnownSecrets } from '../../lib/known-secrets.ts'
import { isTenantName, type Tenant, type TenantConfig } from './tenant.ts'
import { mistakesIn } from './validate.ts'

/** A tenant with a way to say where something of it is written. */
interface Found extends Tenant {
  where(path: readonly (string | number)[]): string
}

/**
 * The tenants of a folder, by name: `NAME.yml` (`.yaml`, `.json`) is the configuration of one, `*.tmpl` in the folder `NAME` are its templates; a
 * module (`.ts`, `.mts`, `.js`, `.mjs`) exports many, or a function that returns them. Throws one InputError with all mistakes of all tenants.
 */
export const loadTenants = async (folder: string, env: NodeJS.ProcessEnv = process.env): Promise<readonly Tenant[]> => {
  const mistakes = collectMistakes()
  if (!existsSync(folder) || !isFolder(folder))
    throw new InputError([
      {
        where: folder,
        what: 'there is no such folder of tenants',
        fix: 'It is `cortex_alertmanager.tenants.folder`, relative to the inventory.',
      },
    ])
  const tenants = new Map<string, Found>()
  for await (const one of foundIn(folder, env, mistakes)) {
    const first = tenants.get(one.name)
    if (first) mistakes.add(one.where([]), { what: `the tenant ${one.name} is there already: ${first.where([])}` })
    else tenants.set(one.name, one)
    for (const { path, what, fix } of mistakesIn(one.config, Object.keys(one.templates)))
      mistakes.add(one.where(path), { path: [one.name, ...path].join('.'), what, fix })
  }
  mistakes.throwAny()
  return [...tenants.values()]
    .map(({ name, config, templates, file }) => ({ name, config, templates, file }))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
}

const foundIn = async function* (folder: string, env: NodeJS.ProcessEnv, mistakes: Mistakes): AsyncGenerator<Found> {
  const variable = variableReader(readSecrets(env, mistakes), mistakes)
  for (const entry of readdirSync(folder).sort()) {
    const file = join(folder, entry)
    if (entry.startsWith('.') || isFolder(file)) continue
    if (/\.m?[jt]s$/.test(entry)) yield* generated(file, mistakes)
    const name = /^(.+)\.(?:ya?ml|json)$/.exec(entry)?.[1]
    if (name === undefined) continue
    if (!isTenantName(name)) {
      mistakes.add(file, {
        what: `${JSON.stringify(name)} is no name of a tenant`,
        fix: "letters, digits and !-_.*'()",
      })
      continue
    }
    const source = parseSource({ file, text: readText(file) }, mistakes)
    if (!source) continue
    const { root } = source
    if (!root || !isMap(root)) {
      mistakes.add(root ? positionOf(source, root) : file, {
        path: name,
        what: 'expected an Alertmanager configuration',
        fix: 'route: …, receivers: …',
      })
      continue
    }
    const read = variable(source, { name, key: root, value: root })
    yield {
      name,
      config: sealKnownSecrets(read.value()) as TenantConfig,
      templates: templatesIn(join(folder, name)),
      file,
      where: (path) => placeOf(read, path),
    }
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

const generated = async function* (file: string, mistakes: Mistakes): AsyncGenerator<Found> {
  let made: unknown
  try {
    const { default: given } = await importFile(file)
    made = typeof given === 'function' ? await given() : given
  } catch (error) {
    mistakes.add(file, { what: `cannot be used: ${error instanceof Error ? error.message : error}`, fix: FIX })
    return
  }
  if (typeof made !== 'object' || made === null || Array.isArray(made)) {
    mistakes.add(file, { what: 'gives no tenants', fix: FIX })
    return
  }
  for (const [name, config] of Object.entries(made)) {
    if (!isTenantName(name))
      mistakes.add(file, { path: name, what: 'is no name of a tenant', fix: "letters, digits and !-_.*'()" })
    else if (typeof config !== 'object' || config === null || Array.isArray(config))
      mistakes.add(file, { path: name, what: 'expected an Alertmanager configuration', fix: 'route: …, receivers: …' })
    else yield { name, config: sealKnownSecrets(config) as TenantConfig, templates: {}, file, where: () => file }
  }
}
