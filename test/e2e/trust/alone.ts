import { globSync } from 'node:fs'
import { join } from 'node:path'
import { labRoot } from '../../../lib/lab/places.ts'

/** The words that start an Alertmanager on this machine: a build of Debian's wants its templates at their own place, which only hosts of a lab have. */
export const withTemplates = (binary: string): readonly string[] => {
  const [share] = globSync(join(labRoot(), 'images/*/usr/share'))
  const overlay = `mount -t overlay overlay -o lowerdir=${share}:/usr/share /usr/share && exec "$@"`
  return share === undefined ? [binary] : ['unshare', '--mount', 'sh', '-c', overlay, 'sh', binary]
}
