/** How the figures of many runs moved. */
import { showMilliseconds } from '../../duration.ts'
import { counted } from '../../wording.ts'
import { shown } from '../print.ts'
import { trendChart } from './charts.ts'
import { markup } from './markup.ts'
import { chartPart, page, table } from './page.ts'
import type { Story } from './story.ts'

/** The page of these runs, oldest first. */
export const trendPage = (told: readonly Story[]): string => {
  const stories = shown(told)
  const points = (value: (story: Story) => number | undefined) =>
    stories.flatMap((story) => {
      const found = value(story)
      const { startedAt, playbook } = story
      return found === undefined ? [] : [{ at: Date.parse(startedAt), of: playbook, value: found }]
    })
  const bad = stories.filter(({ result }) => result !== 'passed' && result !== 'deviated').length
  return page('How runs went', [
    markup`<header class="${bad > 0 ? 'deviated' : 'passed'}"><h1>How the last ${counted(stories.length, 'run')} went</h1><p>${stories.length - bad} went well, ${bad} did not.</p></header>`,
    ...chartPart(
      trendChart(
        'Largest delay of a canary',
        points(({ alerts }) => alerts && alerts.largestDelayMs / 1_000),
        'seconds',
      ),
    ),
    ...chartPart(
      trendChart(
        'Longest blackout',
        points(({ alerts }) => alerts && alerts.longestBlackoutMs / 1_000),
        'seconds',
      ),
    ),
    ...chartPart(
      trendChart(
        'Canaries lost',
        points(({ alerts }) => alerts?.lost),
        'canaries',
      ),
    ),
    ...chartPart(
      trendChart(
        'Canaries notified twice',
        points(({ alerts }) => alerts?.duplicated),
        'canaries',
      ),
    ),
    ...chartPart(
      trendChart(
        'Gossip healed after',
        points(({ drill }) =>
          drill?.figures.gossipHealedMs === undefined ? undefined : drill.figures.gossipHealedMs / 1_000,
        ),
        'seconds',
      ),
    ),
    table(
      'Runs',
      ['run', 'result', 'sent', 'lost', 'twice', 'largest delay', 'took'],
      [...stories]
        .reverse()
        .map(({ run, result, alerts, ms }) => [
          run,
          markup`<span class="${result === 'passed' ? 'yes' : result === 'deviated' ? 'told' : 'no'}">${result}</span>`,
          String(alerts?.sent ?? ''),
          String(alerts?.lost ?? ''),
          String(alerts?.duplicated ?? ''),
          alerts ? showMilliseconds(alerts.largestDelayMs) : '',
          showMilliseconds(ms),
        ]),
    ),
  ])
}

/** The same for programs. */
export const trendJson = (stories: readonly Story[]): string =>
  `${JSON.stringify(
    {
      vestal: 'trend/1',
      runs: stories.map(({ run, playbook, inventory, startedAt, ms, result, alerts, drill }) => ({
        run,
        playbook,
        inventory,
        startedAt,
        ms,
        result,
        alerts: alerts ?? null,
        figures: drill?.figures ?? null,
      })),
    },
    null,
    2,
  )}\n`
