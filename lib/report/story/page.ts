/** A run as a page that needs nothing but itself: no script, no network, read in light or dark, on paper, by keyboard and by ear. */
import { showMilliseconds } from '../../duration.ts'
import { counted } from '../../wording.ts'
import { shown } from '../print.ts'
import { type Chart, canaryChart, delayChart, memberChart, timeline } from './charts.ts'
import { type Line, verdictLines } from './figures.ts'
import { Markup, markup } from './markup.ts'
import type { Result, Story } from './story.ts'
import { STYLE } from './style.ts'

/** The page of one run. */
export const storyPage = (told: Story): string => {
  // The drawing library escapes markup, and not what a reader is not to obey.
  const story = shown(told)
  return page(`${story.playbook || 'run'}: ${story.result}`, [
    head(story),
    tiles(story),
    table('Verdict', ['what', 'seen', 'held'], verdictLines(story).map(verdictRow)),
    section('Timeline', [
      ...[timeline(story), canaryChart(story)].flatMap((one, at) =>
        one ? [figure(one, at === 0 ? DONE : CANARIES)] : [],
      ),
      ...[delayChart(story), memberChart(story)].flatMap((one) => (one ? [figure(one)] : [])),
    ]),
    steps(story),
    gates(story),
    markup`<footer><p>Run ${story.run}, by ${story.owner}. The same for programs: <code>vestal report ${story.run} --format json</code>, <code>junit</code> or <code>openmetrics</code>.</p></footer>`,
  ])
}

/** A whole page around these parts. */
export const page = (title: string, parts: readonly Markup[]): string =>
  `<!doctype html>\n${
    markup`<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>${title}</title><style>${new Markup(STYLE)}</style></head><body><main>${parts}</main></body></html>`
      .text
  }\n`

const SAYS: Readonly<Record<Result, string>> = {
  passed: 'Everything held.',
  deviated: 'Every promise was kept, and yet the fleet did other than it should.',
  failed: 'Something that must hold did not.',
  aborted: 'It was ended before its time, as something else went wrong.',
  interrupted: 'Whoever held it ended it.',
  unfinished: 'It left no report.',
}
const SIGN: Readonly<Record<Result, string>> = {
  passed: '✓',
  deviated: '!',
  failed: '✗',
  aborted: '✗',
  interrupted: '–',
  unfinished: '?',
}

const head = ({ result, playbook, inventory, startedAt, ms, causes, drill }: Story): Markup =>
  markup`<header class="${result}"><p class="verdict"><span aria-hidden="true">${SIGN[result]}</span> ${result}</p><h1>${playbook || 'A run'} on ${inventory}</h1><p>${drill ? `${drill.summary}. ` : ''}${SAYS[result]}</p><p class="when"><time datetime="${startedAt}">${startedAt.slice(0, 19).replace('T', ' ')} UTC</time>, ${showMilliseconds(ms)}</p>${
    causes.length > 0
      ? markup`<h2 class="why">Why</h2><ul>${causes.slice(0, MOST).map((cause) => markup`<li>${cause}</li>`)}</ul>${more(causes.length - MOST)}`
      : []
  }${drill ? markup`<p class="contract">What is allowed: ${drill.contract}</p>` : []}</header>`
const MOST = 30
const more = (count: number): Markup => (count > 0 ? markup`<p>And ${count} more.</p>` : markup``)

const tiles = ({ alerts, drill, tasks }: Story): Markup => {
  const all: readonly (readonly [string, string, boolean?])[] = [
    ...(alerts
      ? ([
          ['canaries sent', String(alerts.sent)],
          ['delivered', String(alerts.delivered)],
          ['lost', String(alerts.lost), alerts.lost > 0],
          ['notified twice', String(alerts.duplicated)],
          ['largest delay', showMilliseconds(alerts.largestDelayMs)],
          ['longest blackout', showMilliseconds(alerts.longestBlackoutMs)],
        ] as const)
      : []),
    ...(drill?.figures.gossipHealedMs === undefined
      ? []
      : ([['gossip healed after', showMilliseconds(drill.figures.gossipHealedMs)]] as const)),
    ...(drill
      ? []
      : ([
          ['tasks changed', String(tasks.changed)],
          ['as they were', String(tasks.same)],
          ['failed', String(tasks.failed), tasks.failed > 0],
        ] as const)),
  ]
  return markup`<dl class="tiles">${all.map(([name, value, bad]) => markup`<div${new Markup(bad ? ' class="bad"' : '')}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`
}

const verdictRow = ({ what, seen, held }: Line): readonly (string | Markup)[] => [
  what,
  seen,
  held === null ? markup`<span class="told">told</span>` : held ? yes('held') : no('did not hold'),
]
const yes = (text: string): Markup => markup`<span class="yes"><span aria-hidden="true">✓ </span>${text}</span>`
const no = (text: string): Markup => markup`<span class="no"><span aria-hidden="true">✗ </span>${text}</span>`

const DONE = markup`<p class="legend"><span class="key fault"></span> broken on purpose <span class="key work"></span> being changed <span class="key down"></span> does not serve</p>`
const CANARIES = markup`<p class="legend"><span class="dot sent"></span> sent <span class="ring"></span> sent under a silence <span class="dot good"></span> notified (larger: several at once) <span class="diamond">◇</span> notified once more <span class="cross">✕</span> lost <span class="key band"></span> while something was broken</p>`

const figure = ({ title, said, svg }: Chart, legend: Markup = markup``): Markup =>
  markup`<figure><h3>${title}</h3>${legend}<div class="chart" tabindex="0" role="group" aria-label="${title}">${svg}</div><figcaption>${said}</figcaption></figure>`

const steps = ({ spans }: Story): Markup =>
  table(
    'Steps',
    ['host', 'what', 'from', 'to'],
    [...spans]
      .sort((one, other) => one.from - other.from)
      .map(({ host, what, from, to }) => [host, what, showMilliseconds(from), showMilliseconds(to)]),
  )

/** Those that said no stand in the open, all others by their play behind one key press. */
const gates = ({ gates: all }: Story): Markup => {
  const bad = all.filter(({ pass }) => !pass)
  const plays = [...Map.groupBy(all, ({ play }) => play)]
  return markup`${table(
    'Gates that said no',
    ['play', 'host', 'gate', 'why'],
    bad.map(({ play, host, name, why = '' }) => [play, host, name, why]),
  )}${
    plays.length > 0
      ? section(
          'Gates',
          plays.map(
            ([play, some]) =>
              markup`<details><summary>${play}: ${counted(some.length, 'gate')}, ${some.filter(({ pass }) => pass).length} said yes</summary>${grid(
                `Gates of ${play}`,
                ['host', 'gate', 'answer', 'asked for'],
                some.map(({ host, name, pass, ms }) => [
                  host,
                  name,
                  pass ? yes('yes') : no('no'),
                  showMilliseconds(ms),
                ]),
              )}</details>`,
          ),
        )
      : []
  }`
}

const section = (title: string, parts: readonly Markup[]): Markup =>
  parts.length > 0 ? markup`<section><h2>${title}</h2>${parts}</section>` : markup``

/** A table under a heading; nothing where it has no row. */
export const table = (
  title: string,
  names: readonly string[],
  rows: readonly (readonly (string | Markup)[])[],
): Markup => (rows.length > 0 ? section(title, [grid(title, names, rows)]) : markup``)

const grid = (title: string, names: readonly string[], rows: readonly (readonly (string | Markup)[])[]): Markup =>
  markup`<div class="scroll" tabindex="0" role="group" aria-label="${title}"><table><thead><tr>${names.map((name) => markup`<th scope="col">${name}</th>`)}</tr></thead><tbody>${rows
    .slice(0, MOST_ROWS)
    .map(
      (cells) =>
        markup`<tr>${cells.map((cell, at) => (at === 0 ? markup`<th scope="row">${cell}</th>` : markup`<td>${cell}</td>`))}</tr>`,
    )}</tbody></table>${more(rows.length - MOST_ROWS)}</div>`
/** A page of a great fleet stays one that opens. */
const MOST_ROWS = 2_000

/** A chart as a part of a page. */
export const chartPart = (one: Chart | null): readonly Markup[] => (one ? [figure(one)] : [])
