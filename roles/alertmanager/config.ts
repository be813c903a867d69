import type { Inventory } from '../../lib/model.ts'
import type { Sealed } from '../../lib/secret.ts'
import { type FolderFile, filesOf } from '../folder.ts'
import { yamlFile } from '../yaml.ts'
import type { AlertmanagerVars } from './vars.ts'

export const TEMPLATES = '/etc/alertmanager/templates'

/** The configuration file: what the inventory says, and its templates. */
export const configFile = ({ config, templates }: AlertmanagerVars): string | Sealed =>
  yamlFile({ ...config, ...(templates !== undefined && { templates: config.templates ?? [`${TEMPLATES}/*.tmpl`] }) })

/** The notification templates of a folder in the inventory, named without its folders. Throws InputError when it cannot be read. */
export const templatesOf = (folder: string, inventory: Inventory): readonly FolderFile[] =>
  filesOf(inventory, { folder, endings: ['.tmpl'], setting: 'alertmanager.templates' })
