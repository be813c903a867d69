import type { RunReport } from '../../lib/model.ts'
import type { Program } from './settings.ts'

/**
 * True when it is known that no host was left on a new version of these programs: none has its link pointed there, and none was lost in the
 * middle of its change.
 */
export const nobodyLeftOnNew = ({ hosts }: RunReport, programs: readonly Program[]): boolean =>
  Object.values(hosts).every(
    (tasks) =>
      !('apply' in tasks) &&
      !('take back' in tasks) &&
      programs.every((program) => {
        const outcome = tasks[`symlink /opt/vestal/${program}/current`]
        return outcome === undefined || outcome.status === 'skipped'
      }),
  )
