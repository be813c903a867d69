import { statSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { type Files, isFolder, YAML_EXTENSIONS } from '../files.ts'
import type { Mistakes } from '../mistakes.ts'
import { isVault } from '../yaml/vault.ts'
import { isProgram } from './script.ts'

export interface InventoryFile {
  readonly file: string
  readonly text: string
  /** Found below a sub-folder, where rules, certificates and templates stand too: read only if it looks like an inventory. */
  readonly nested: boolean
  readonly format: 'yaml' | 'ini' | 'script'
}

/**
 * The inventory files behind a path: the file itself, or the folder's files by name, sub-folders too, as Ansible reads them
 * (ansible-core, inventory/manager.py: hidden files, `group_vars`, `host_vars` and backups are left out, and the table of shards). A program is a script, a file
 * whose first line is no YAML is INI; below a sub-folder only YAML is read. A TOML inventory, or a path where nothing stands, is a mistake.
 */
export const inventoryFiles = (
  path: string,
  { files: disk, mistakes }: { readonly files: Files; readonly mistakes: Mistakes },
): readonly InventoryFile[] => {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found) {
    const what = 'there is no such file or folder'
    mistakes.add(path, {
      what,
      fix: path.includes(',') ? 'give -i once for each path; host lists are not supported' : undefined,
    })
    return []
  }
  const files = found.isDirectory()
    ? filesBelow(path, { disk, nested: false })
    : [fileAt(path, { disk, nested: false })]
  if (files.length === 0) mistakes.add(path, { what: 'no inventory file in this folder', fix: 'add a hosts.yml' })
  return files.filter(({ file, text, nested, format }) => {
    if (text.startsWith('#!') && !nested) {
      mistakes.add(file, { what: 'a script that may not be executed', fix: `chmod +x ${file}` })
      return false
    }
    const isToml = extname(file) === '.toml'
    if (isToml) mistakes.add(file, { what: 'TOML inventories are not supported', fix: asList(file) })
    return !isToml && (!nested || format === 'yaml')
  })
}

/** The folder whose `group_vars` and `host_vars` go with a path. */
export const folderOf = (path: string): string => (statSync(path).isDirectory() ? path : dirname(path))

const IGNORED =
  /^\.|^(?:host_vars|group_vars|vars_plugins|shards\.yml)$|~$|\.(?:pyc|pyo|swp|bak|rpm|md|txt|rst|orig|cfg|retry)$/

const filesBelow = (
  folder: string,
  { disk, nested }: { readonly disk: Files; readonly nested: boolean },
): readonly InventoryFile[] =>
  disk.names(folder).flatMap((name) => {
    const path = join(folder, name)
    if (IGNORED.test(name)) return []
    const folderHere = isFolder(path)
    if (folderHere) return filesBelow(path, { disk, nested: true })
    if (folderHere === undefined) return []
    const known = [...YAML_EXTENSIONS, '.ini', '.toml'].includes(extname(name))
    if (!known && (nested || !isProgram(path))) return []
    return [fileAt(path, { disk, nested })]
  })

const fileAt = (file: string, { disk, nested }: { readonly disk: Files; readonly nested: boolean }): InventoryFile => {
  if (isProgram(file)) return { file, text: '', nested, format: 'script' }
  const text = disk.text(file)
  return { file, text, nested, format: looksLikeIni(file, text) ? 'ini' : 'yaml' }
}

/** How hosts of another kind of inventory come to be read, with group_vars and vaults left as they are. */
export const asList = (file: string): string =>
  `copy it to an empty folder and there run ansible-inventory -i ${basename(file)} --list --export > hosts.json; group_vars and vaults stay where they are`

/** As YAML it would be nothing: Ansible tries YAML first, for names that YAML has, and INI then. */
const looksLikeIni = (file: string, text: string): boolean => {
  if (isVault(text)) return false
  if (!YAML_EXTENSIONS.includes(extname(file))) return true
  const [first = ''] = text.split('\n').filter((line) => !/^\s*(?:[#;].*)?$/.test(line))
  return (
    /^\s*\[[^\],{}"']+\]\s*(?:#.*)?$/.test(first) ||
    /^\s*[^\s:={}'"]+(?:\s+\w+=\S.*)+\s*$/.test(first) ||
    (extname(file) === '' && /^\s*[\w.-]+\s*(?:#.*)?$/.test(first))
  )
}
