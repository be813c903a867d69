import { releaseBinary } from '../../lib/kinds/release.ts'

/** What is deployed; the rules need its promtool as well. */
export const PROGRAM = { name: 'prometheus', binaries: ['prometheus', 'promtool'] }
export const USER = 'prometheus'

/** One version's promtool, which checks a file before that version reads it. */
export const promtool = (version: string): string => releaseBinary('prometheus', version, 'promtool')
