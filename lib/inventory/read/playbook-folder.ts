import { dirname, extname, join, resolve } from 'node:path'
import { type Files, isFolder } from '../files.ts'

/**
 * The folders one up from an inventory's that hold playbooks of Ansible's: it reads the `group_vars` and `host_vars` there too, and they win over those beside the
 * inventory. A folder without a playbook is none: what stands there may be anybody's. Source: ansible-core, docs on variable precedence (playbook group_vars/all).
 */
export const playbookFolders = (folders: readonly string[], files: Files): readonly string[] => {
  const read = new Set(folders.map((folder) => resolve(folder)))
  const above = folders.map((folder) => join(folder, '..')).filter((folder) => !read.has(resolve(folder)))
  const once = [...new Map(above.map((folder) => [resolve(folder), folder])).values()]
  return once.filter(
    (folder) =>
      ['group_vars', 'host_vars'].some((name) => isFolder(join(folder, name))) &&
      files.names(folder).some((name) => isPlaybook(join(folder, name), files)),
  )
}

const isPlaybook = (file: string, files: Files): boolean =>
  ['.yml', '.yaml'].includes(extname(file)) &&
  isFolder(file) === false &&
  dirname(file) !== file &&
  /^-\s+(?:[^\n]*\n\s+)*?(?:hosts|(?:ansible\.builtin\.)?import_playbook):/m.test(files.text(file))
