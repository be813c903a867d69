import { homedir } from 'node:os'
import { join } from 'node:path'

/** A path with `~` at its start taken for a home folder, by default the operator's. */
export const homePath = (path: string, home = homedir()): string =>
  path === '~' || path.startsWith('~/') ? join(home, path.slice(1)) : path

/** The words of a list of paths in ssh_config(5), of which some may stand in double quotes. */
export const pathWords = (list: string): readonly string[] =>
  [...list.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
