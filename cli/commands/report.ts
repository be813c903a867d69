import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Argv } from 'yargs'
import { InputError } from '../../lib/errors.ts'
import { auditEntry, auditRows } from '../../lib/report/audit.ts'
import { runsFolder } from '../../lib/report/folder.ts'
import { print } from '../../lib/report/print.ts'
import { openMetrics, storyJson, storyJunit } from '../../lib/report/story/forms.ts'
import { type Story, storyOf } from '../../lib/report/story/story.ts'
import { command } from '../command.ts'

const FORMATS = ['html', 'json', 'junit', 'openmetrics'] as const
interface ReportFlags {
  readonly run?: string
  readonly trend: boolean
  readonly last: number
  readonly format?: (typeof FORMATS)[number]
  readonly json: boolean
  readonly output?: string
}

/** Renders a kept run, or how many went. No machine is asked. Throws InputError for a run that is not there. */
const report = async (flags: ReportFlags): Promise<number> => {
  const { run, trend, output } = flags
  if (trend === (run !== undefined))
    throw mistake(
      'vestal report',
      trend ? '--trend is about many runs' : 'which run?',
      'vestal report RUN, or vestal report --trend',
    )
  const format = flags.json ? 'json' : (flags.format ?? 'html')
  const text =
    run === undefined ? await ofMany(manyStories(flags.last), format) : await ofOne(storyOf(auditEntry(run)), format)
  if (format !== 'html' && output === undefined) {
    print(text.trimEnd())
    return 0
  }
  const path = output ?? (run === undefined ? 'vestal-trend.html' : join(runsFolder(), run, 'report.html'))
  write(path, text)
  print(path)
  return 0
}

const ofOne = (story: Story, format: (typeof FORMATS)[number]): string | Promise<string> => {
  if (format === 'json') return storyJson(story)
  if (format === 'junit') return storyJunit(story)
  return format === 'openmetrics' ? openMetrics([story]) : storyHtml(story)
}

const ofMany = (stories: readonly Story[], format: (typeof FORMATS)[number]): string | Promise<string> => {
  if (format === 'junit') throw mistake('--format', 'junit is about one run', 'Choose html, json or openmetrics.')
  if (format === 'openmetrics') return openMetrics(stories)
  return format === 'json' ? trendJsonOf(stories) : trendHtml(stories)
}

// What draws is loaded only where something is drawn.
const storyHtml = async (story: Story): Promise<string> =>
  (await import('../../lib/report/story/page.ts')).storyPage(story)
const trendHtml = async (stories: readonly Story[]): Promise<string> =>
  (await import('../../lib/report/story/trend.ts')).trendPage(stories)
const trendJsonOf = async (stories: readonly Story[]): Promise<string> =>
  (await import('../../lib/report/story/trend.ts')).trendJson(stories)

/** Runs that watched alerts or were drills, oldest first. */
const manyStories = (last: number): readonly Story[] => {
  const stories = auditRows()
    .filter(({ startedAt, result }) => startedAt !== '' && result !== 'planned')
    .map(({ run }) => storyOf(auditEntry(run)))
    .filter(({ alerts, drill }) => alerts ?? drill)
    .slice(-last)
  if (stories.length > 0) return stories
  throw mistake(
    'vestal report --trend',
    'no run has watched alerts yet',
    'Run one with --watch-alerts, or hold a drill.',
  )
}

const write = (path: string, text: string): void => {
  try {
    writeFileSync(path, text, { mode: 0o600 })
  } catch (error) {
    throw mistake(
      '--output',
      `${path} cannot be written: ${error instanceof Error ? error.message : error}`,
      'Name another file.',
    )
  }
}

const mistake = (where: string, what: string, fix: string): InputError => new InputError([{ where, what, fix }])

export default command({
  name: 'report',
  positionals: '[run]',
  summary: 'Show a kept run to a person, as a page; or how many went',
  examples: [
    'vestal report 20261122-162233-deploy-4f3a',
    'vestal report 20261122-162233-deploy-4f3a --format junit',
    'vestal report --trend --last 30',
  ],
  options: (args: Argv) =>
    args
      .positional('run', { type: 'string', describe: 'As `vestal audit` lists it' })
      .option('trend', {
        type: 'boolean',
        default: false,
        describe: 'How the figures of runs that watched alerts moved',
      })
      .option('last', { type: 'number', default: 50, requiresArg: true, describe: 'For --trend: of how many runs' })
      .option('format', { choices: FORMATS, requiresArg: true, describe: 'Default: html' })
      .option('json', { type: 'boolean', default: false, describe: 'The same as --format json' })
      .option('output', {
        alias: 'o',
        type: 'string',
        requiresArg: true,
        describe: 'The file; default: report.html in the folder of the run, and for other formats standard output',
      })
      .check(({ last }) => (Number.isInteger(last) && last > 0 ? true : '--last takes a whole number above 0')),
  run: report,
})
