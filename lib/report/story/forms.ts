/** A run's story for programs: JSON, JUnit's XML, and OpenMetrics. */
import { verdictLines } from './figures.ts'
import { markup } from './markup.ts'
import type { Story } from './story.ts'

/** Milliseconds are since the run's start. */
export const storyJson = (story: Story): string =>
  `${JSON.stringify({ vestal: 'story/1', ...story, lines: verdictLines(story) }, null, 2)}\n`

/** A suite of a run: a case for its verdict, for each figure that is judged, and for each gate. */
export const storyJunit = (story: Story): string => {
  const { run, gates, result, causes } = story
  const cases: readonly Case[] = [
    {
      group: 'run',
      name: 'verdict',
      ms: story.ms,
      ...(result === 'passed' || result === 'deviated' ? {} : { why: [result, ...causes].join('\n') }),
    },
    ...verdictLines(story).flatMap(({ what, seen, held }) =>
      held === null ? [] : [{ group: 'figures', name: what, ms: 0, ...(!held && { why: seen }) }],
    ),
    ...gates.map(({ play, host, name, pass, ms, why = 'no' }) => ({
      group: `${play}.${host}`,
      name,
      ms,
      ...(!pass && { why }),
    })),
  ]
  const failed = cases.filter(({ why }) => why !== undefined).length
  return `<?xml version="1.0" encoding="UTF-8"?>\n${
    markup`<testsuites><testsuite name="${run}" timestamp="${story.startedAt}" tests="${cases.length}" failures="${failed}" errors="0" skipped="0" time="${secondsOf(story.ms)}">${cases.map(
      ({ group, name, ms, why }) =>
        markup`<testcase classname="${group}" name="${name}" time="${secondsOf(ms)}">${why === undefined ? [] : markup`<failure message="${why.split('\n', 1)[0] ?? ''}">${why}</failure>`}</testcase>`,
    )}</testsuite></testsuites>`.text
  }\n`
}
interface Case {
  readonly group: string
  readonly name: string
  readonly ms: number
  readonly why?: string
}

/**
 * One set of samples for each of these runs; of several of the same playbook and inventory, the last. Source: the OpenMetrics text format 1.0: families in
 * one piece, `_total` for counters (there are none), `# EOF` at the end.
 */
export const openMetrics = (stories: readonly Story[], also: Labels = {}): string => {
  const last = [...new Map(stories.map((one) => [`${one.playbook}\n${one.inventory}`, one])).values()]
  const families = FAMILIES.flatMap(({ name, help, unit, values }) => {
    const lines = last.flatMap((story) =>
      values(story).map(
        ([labels, value]) =>
          `${name}${labelsText({ playbook: story.playbook, inventory: story.inventory, ...also, ...labels })} ${value}`,
      ),
    )
    const about = [`# TYPE ${name} gauge`, ...(unit ? [`# UNIT ${name} ${unit}`] : []), `# HELP ${name} ${help}`]
    return lines.length > 0 ? [...about, ...lines] : []
  })
  return `${[...families, '# EOF'].join('\n')}\n`
}

type Labels = Readonly<Record<string, string>>
interface Family {
  readonly name: string
  readonly help: string
  readonly unit?: string
  readonly values: (story: Story) => readonly (readonly [Labels, number])[]
}
const one = (value: number | undefined): readonly (readonly [Labels, number])[] =>
  value === undefined ? [] : [[{}, value]]
const RESULTS = ['passed', 'deviated', 'failed', 'aborted', 'interrupted', 'unfinished'] as const

const FAMILIES: readonly Family[] = [
  {
    name: 'vestal_run_result',
    help: 'What the last run came to: 1 for that, 0 for all else.',
    values: ({ result }) => RESULTS.map((state) => [{ result: state }, state === result ? 1 : 0]),
  },
  {
    name: 'vestal_run_start_timestamp_seconds',
    help: 'When the last run began.',
    unit: 'seconds',
    values: ({ startedAt }) => (startedAt ? one(Date.parse(startedAt) / 1_000) : []),
  },
  {
    name: 'vestal_run_duration_seconds',
    help: 'How long it took.',
    unit: 'seconds',
    values: ({ ms }) => one(ms / 1_000),
  },
  {
    name: 'vestal_run_canaries',
    help: 'Canary alerts of the run, by what became of them.',
    values: ({ alerts }) =>
      alerts
        ? (['sent', 'delivered', 'lost', 'duplicated', 'refired', 'unresolved'] as const).map((fate) => [
            { fate },
            alerts[fate],
          ])
        : [],
  },
  {
    name: 'vestal_run_largest_delay_seconds',
    help: 'From a canary on disk to its first notification, the longest.',
    unit: 'seconds',
    values: ({ alerts }) => one(alerts && alerts.largestDelayMs / 1_000),
  },
  {
    name: 'vestal_run_longest_blackout_seconds',
    help: 'The longest time in which canaries waited and none was notified.',
    unit: 'seconds',
    values: ({ alerts }) => one(alerts && alerts.longestBlackoutMs / 1_000),
  },
  {
    name: 'vestal_run_gates',
    help: 'Gates of the run, by their answer.',
    values: ({ gates }) => {
      const yes = gates.filter(({ pass }) => pass).length
      return [
        [{ answer: 'yes' }, yes],
        [{ answer: 'no' }, gates.length - yes],
      ]
    },
  },
  {
    name: 'vestal_drill_healed_seconds',
    help: 'From the end of the faults until every service was as before.',
    unit: 'seconds',
    values: ({ drill }) => one(drill?.figures.healedMs === undefined ? undefined : drill.figures.healedMs / 1_000),
  },
  {
    name: 'vestal_drill_gossip_healed_seconds',
    help: 'From the end of the faults until every member saw every other.',
    unit: 'seconds',
    values: ({ drill }) =>
      one(drill?.figures.gossipHealedMs === undefined ? undefined : drill.figures.gossipHealedMs / 1_000),
  },
]

/** Labels as the text formats of metrics write them. */
export const labelsText = (labels: Labels): string =>
  `{${Object.entries(labels)
    .map(
      ([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
    )
    .join(',')}}`

const secondsOf = (ms: number): string => (ms / 1_000).toFixed(3)
