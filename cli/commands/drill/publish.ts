import { basename, join } from 'node:path'
import { HostError } from '../../../lib/errors.ts'
import { replaceFile } from '../../../lib/replace-file.ts'
import { auditEntry } from '../../../lib/report/audit.ts'
import { runsFolder } from '../../../lib/report/folder.ts'
import { openMetrics } from '../../../lib/report/story/forms.ts'
import { storyOf } from '../../../lib/report/story/story.ts'

export interface Publishing {
  /** Whether each run gets a page in its folder. */
  readonly pages: boolean
  /** The file that node_exporter reads. */
  readonly metrics?: string
}

/**
 * Tells others what runs came to: a page in the folder of each, and metrics in a file, with the file's name as their `schedule`. Throws HostError where one can't be
 * written.
 */
export const publish = async (runs: readonly string[], { pages, metrics }: Publishing): Promise<void> => {
  if (runs.length === 0 || !(pages || metrics)) return
  const stories = runs.map((run) => storyOf(auditEntry(run)))
  if (pages) {
    const { storyPage } = await import('../../../lib/report/story/page.ts')
    for (const story of stories) write(join(runsFolder(), story.run, 'report.html'), await storyPage(story), 0o600)
  }
  if (metrics) {
    const schedule = basename(metrics)
      .replace(/^vestal-drill-/, '')
      .replace(/\.prom$/, '')
    write(metrics, openMetrics(stories, { schedule }), 0o644)
  }
}

const write = (path: string, text: string, mode: number): void => {
  try {
    replaceFile(path, text, mode)
  } catch (error) {
    throw new HostError(
      'this machine',
      `${path} cannot be written: ${error instanceof Error ? error.message : error}`,
      {
        task: 'drill',
        hint: 'The drill itself is held, and kept as a run.',
      },
    )
  }
}
