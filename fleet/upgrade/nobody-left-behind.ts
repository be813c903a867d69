import { currentOf } from '../../lib/host-paths.ts'
import type { RunReport } from '../../lib/model.ts'
import type { Released } from './settings.ts'

/**
 * True when it is known that no host was left on a new version of these roles: none has its link pointed there, and none was lost in the
 * middle of its change.
 */
export const nobodyLeftOnNew = ({ hosts }: RunReport, roles: readonly Released[]): boolean =>
  Object.values(hosts).every(
    (tasks) =>
      !('apply' in tasks) &&
      !('take back' in tasks) &&
      roles.every(({ release }) => {
        // Of an instance, its own link.
        const link = `symlink ${currentOf(release.name)}`
        return Object.entries(tasks).every(
          ([task, { status }]) => (task !== link && !task.startsWith(`${link}-`)) || status === 'skipped',
        )
      }),
  )
