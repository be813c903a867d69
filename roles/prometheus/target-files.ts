import { InputError } from '../../lib/errors.ts'
import type { Host, Scope } from '../../lib/model.ts'
import { type FolderFile, filesOf } from '../../lib/program/inventory-folder.ts'
import { homeOf } from './config.ts'
import type { PrometheusVars } from './vars.ts'

/** Where an inventory's own files of targets stand on a host; `targets/*.yml` in a file_sd config means them too. */
export const targetFilesOn = (host: Host): string => `${homeOf(host)}/targets`

/** The files of targets that the inventory brings, named without its folders. Throws InputError where a folder can't be read or two files would be one. */
export const targetFiles = ({
  host,
  vars: { target_folders: folders },
  inventory,
}: Pick<Scope<PrometheusVars>, 'host' | 'vars' | 'inventory'>): readonly FolderFile[] => {
  const files = folders.flatMap((folder) => {
    const found = filesOf(inventory, {
      folder,
      endings: ['.yml', '.yaml', '.json'],
      setting: 'prometheus.target_folders',
    })
    if (found.length > 0) return found
    throw new InputError([
      {
        where: folder,
        path: 'prometheus.target_folders',
        what: 'no file of targets (*.yml, *.yaml, *.json) is in this folder',
      },
    ])
  })
  const clashes = [...Map.groupBy(files, ({ name }) => name)].filter(([, same]) => same.length > 1)
  if (clashes.length === 0) return files
  throw new InputError(
    clashes.map(([name, same]) => ({
      where: same[1]?.path ?? name,
      what: `would be ${targetFilesOn(host)}/${name} on the host, and so would ${same[0]?.path}`,
      fix: 'Rename one of them.',
    })),
  )
}

export const targetFilePath = ({ name }: FolderFile, host: Host): string => `${targetFilesOn(host)}/${name}`
