import { releaseBinary } from '../../lib/kinds/release.ts'
import type { ReleaseOf } from '../../lib/model.ts'

/** What is deployed; the rules need its promtool as well. */
export const PROGRAM: ReleaseOf = {
  owner: 'prometheus',
  repo: 'prometheus',
  name: 'prometheus',
  binaries: ['prometheus', 'promtool'],
}
export const USER = 'prometheus'

/** One version's promtool, which checks a file before that version reads it. */
export const promtool = (version: string): string => releaseBinary('prometheus', version, 'promtool')
