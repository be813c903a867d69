import { InputError } from '../../lib/errors.ts'
import type { Host, Inventory } from '../../lib/model.ts'
import { type FolderFile, filesOf, jinjaBlocks } from '../../lib/program/inventory-folder.ts'
import { yamlFile } from '../../lib/program/yaml-file.ts'
import type { Sealed } from '../../lib/secret.ts'
import { withOwnRoutes } from './own-routes.ts'
import { provenRouting, type TeamRouting } from './teams.ts'
import type { AlertmanagerVars } from './vars.ts'

export const TEMPLATES = '/etc/alertmanager/templates'

/**
 * The configuration file: what the inventory says, its teams, its templates, and the route and receiver of canary alerts. Printed once for all members with the same settings.
 * Throws InputError where a team's file has a mistake or one of its cases fails.
 */
export const configFile = (inventory: Inventory, host: Host, vars: AlertmanagerVars): string | Sealed => {
  const routing = provenRouting(inventory, host, vars)
  const found = printed.get(routing) ?? print(withOwnRoutes(routing.config, inventory, vars), vars.templates)
  printed.set(routing, found)
  return found
}

const printed = new WeakMap<TeamRouting, string | Sealed>()

const print = (config: AlertmanagerVars['config'], templates: string | undefined): string | Sealed =>
  yamlFile({ ...config, ...(templates !== undefined && { templates: config.templates ?? [`${TEMPLATES}/*.tmpl`] }) })

/** The notification templates of a folder in the inventory, named without its folders. Throws InputError when it cannot be read, and for blocks of Jinja. */
export const templatesOf = (folder: string, inventory: Inventory): readonly FolderFile[] => {
  const files = filesOf(inventory, { folder, endings: ['.tmpl'], setting: 'alertmanager.templates' })
  const mistakes = files.flatMap(({ path, text }) => jinjaBlocks(path, text))
  if (mistakes.length > 0) throw new InputError(mistakes)
  return files
}
