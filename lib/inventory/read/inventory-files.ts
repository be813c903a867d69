import { statSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { type Files, isFolder, YAML_EXTENSIONS } from '../files.ts'
import type { Mistakes } from '../mistakes.ts'

export interface InventoryFile {
  readonly file: string
  readonly text: string
  /** Found below a sub-folder, where rules, certificates and templates stand too: read only if it looks like an inventory. */
  readonly nested: boolean
}

/**
 * The inventory files behind a path: the file itself, or the folder's files by name, sub-folders too, as Ansible reads them
 * (ansible-core, inventory/manager.py: hidden files, `group_vars`, `host_vars` and backups are left out, and the table of shards). Files of other kinds
 * are passed over; an INI inventory, a script or a path where nothing stands is a mistake.
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
    : [{ file: path, text: disk.text(path), nested: false }]
  if (files.length === 0) mistakes.add(path, { what: 'no inventory file in this folder', fix: 'add a hosts.yml' })
  return files.filter(({ file, text, nested }) => {
    const problem = otherKind(file, text)
    if (problem && !nested) mistakes.add(file, problem)
    return !problem
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
    const wanted = YAML_EXTENSIONS.includes(extname(name)) || extname(name) === '.ini'
    return wanted && folderHere === false ? [{ file: path, text: disk.text(path), nested }] : []
  })

const otherKind = (file: string, text: string): { what: string; fix: string } | undefined => {
  const convert = (from: string) => ({
    fix: `turn ${from} into YAML: ansible-inventory -i ${file} --list --yaml > hosts.yml`,
  })
  if (text.startsWith('#!')) return { what: 'inventory scripts are not supported', ...convert('its answer') }
  const [first = ''] = text.split('\n').filter((line) => !/^\s*(?:[#;].*)?$/.test(line))
  if (extname(file) === '.ini' || /^\s*\[[^\],{}"']+\]\s*$/.test(first) || /^\s*[\w.-]+(?:\s+\w+=\S+)+\s*$/.test(first))
    return { what: 'an INI inventory; only YAML inventories are read', ...convert('it') }
  return undefined
}
