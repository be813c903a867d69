import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { InputError } from '../../lib/errors.ts'
import { directory } from '../../lib/kinds/directory.ts'
import { file } from '../../lib/kinds/file.ts'
import type { Inventory, Scope, Task } from '../../lib/model.ts'
import { webTasks } from '../../lib/program/certificates.ts'
import { webConfigFile } from '../../lib/program/certified.ts'
import type { Exporter } from '../../lib/program/exporter.ts'
import { yamlFile } from '../../lib/program/yaml-file.ts'
import { Sealed, Secret } from '../../lib/secret.ts'
import { words } from '../../lib/shell.ts'
import { executableOf } from './command.ts'
import { type Entry, folderOf, type Settings, userOf, webOf } from './entries.ts'

/** The files of an entry on a host, in a folder of their own, and nothing else in it: what is taken out of the settings goes. */
export interface EntryFiles {
  readonly tasks: readonly Task[]
  readonly config?: Task
  readonly webConfig?: Task
  readonly environment?: Task
}

/** Throws InputError where a file that the settings name cannot be read. */
export const filesOf = (
  entry: Entry,
  vars: Settings,
  { inventory, host }: Pick<Scope, 'inventory' | 'host'>,
): EntryFiles => {
  const folder = folderOf(entry)
  const user = userOf(entry.exporter)
  const mine = { mode: '0640', group: user }
  const content = configOf(entry, vars, inventory)
  const config =
    content && file(`${folder}/${content.name}`, content.text, { ...mine, validate: checkOf(entry.exporter, vars) })
  const web = webOf(entry)
  const served = web ? webTasks({ host, vars, inventory }, web) : []
  const webConfig = web && served.find(({ key }) => key === webConfigFile(web))
  const variables = { ...listenVariables(entry.exporter, vars), ...vars.environment }
  const environment =
    Object.keys(variables).length > 0
      ? file(`${folder}/environment`, environmentFile(variables), { mode: '0600' })
      : undefined
  const files = [config, ...served, environment].flatMap((one) => one ?? [])
  const only = files.flatMap(({ key }) => (key.startsWith(`${folder}/`) ? [key.slice(folder.length + 1)] : []))
  return { tasks: [directory(folder, { only }), ...files], config, webConfig, environment }
}

const configOf = (
  { exporter, name }: Entry,
  { config, config_file: path }: Settings,
  inventory: Inventory,
): { readonly name: string; readonly text: string | Sealed } | undefined => {
  if (!exporter.config) return undefined
  if (path !== undefined) return { name: 'config', text: textOf(resolve(inventory.folder, path), name) }
  const data = config ?? exporter.config.default
  return data && { name: 'config.yml', text: yamlFile(data) }
}

const textOf = (path: string, name: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new InputError([
      {
        where: path,
        path: `exporters.${name}.config_file`,
        what: `cannot be read: ${(error as Error).message}`,
        fix: 'Files in the inventory are relative to the folder of the inventory itself.',
      },
    ])
  }
}

/** The version that is about to run looks at it first. */
const checkOf = (exporter: Exporter, vars: Settings): string | undefined =>
  exporter.config?.check &&
  `${words([executableOf(exporter, vars)])} --${exporter.config.flag}="$1" ${words(exporter.config.check.map((flag) => `--${flag}`))} >/dev/null`

const listenVariables = (
  { listenEnvironment: names }: Exporter,
  { listen }: Settings,
): Readonly<Record<string, Secret>> => {
  if (!names) return {}
  const at = listen.lastIndexOf(':')
  return { [names.address]: new Secret(listen.slice(0, at)), [names.port]: new Secret(listen.slice(at + 1)) }
}

/** As systemd.exec(5) reads an EnvironmentFile=: between double quotes, a backslash takes what `\`, `"`, `$` and a backtick mean away. */
const environmentFile = (variables: Readonly<Record<string, Secret>>): Sealed =>
  new Sealed(
    Object.entries(variables).flatMap(([name, value]) => [
      `${name}="`,
      new Secret(value.reveal().replaceAll(/[\\"$`]/g, '\\$&')),
      '"\n',
    ]),
  )
