/** Charts of a run as SVG, drawn by Observable Plot without a browser. Colours are the page's CSS variables, so that they follow its light or dark. */
import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import { Markup } from './markup.ts'
import type { Span, Story } from './story.ts'

/** A chart, with what it says in words for whoever cannot see it. */
export interface Chart {
  readonly title: string
  readonly said: string
  readonly svg: Markup
}

const { document } = parseHTML('<html><body></body></html>')
const WIDTH = 960
const LEFT = 130

/** What was done to which host, and when. */
export const timeline = (story: Story): Chart | null => {
  const spans = story.spans.map((one) => ({ ...one, ...seconds(one) }))
  if (spans.length === 0) return null
  const hosts = story.hosts.filter((host) => spans.some((one) => one.host === host))
  const said = spans.map(
    ({ host, what, from, to }) => `${host}: ${what}, from ${from.toFixed(0)} to ${to.toFixed(0)} s`,
  )
  const long = spans.filter(({ from, to }) => to - from > story.ms / 20_000)
  return chart(`What was done, and when`, `${said.slice(0, 40).join('; ')}.`, {
    height: 62 + hosts.length * 32,
    x: axis(story),
    y: { label: null, domain: hosts, padding: 0.2 },
    marks: [
      ...(['work', 'fault', 'down'] as const).map((kind) =>
        Plot.barX(
          spans.filter((one) => one.kind === kind),
          {
            y: 'host',
            x1: 'from',
            x2: ({ from, to }: Span) => Math.max(to, from + story.ms / 400_000),
            fill: `var(--${kind})`,
            insetTop: kind === 'down' ? 17 : 0,
            inset: 0.5,
          },
        ),
      ),
      Plot.text(firstOfEach(long), {
        y: 'host',
        x: 'from',
        text: ({ what, host, from }: Span) =>
          fitted(what.startsWith(`${host} `) ? what.slice(host.length + 1) : what, story, from),
        textAnchor: 'start',
        dx: 5,
        fill: 'var(--on-bar)',
        fontWeight: 600,
      }),
    ],
  })
}

/** Each canary sent, and each notification by the Alertmanager that sent it. */
export const canaryChart = (story: Story): Chart | null => {
  const { canaries, notices } = story
  if (canaries.length === 0) return null
  const senders = [...new Set([...notices, ...story.seen].map(({ host }) => host))].sort()
  const firing = notices.filter(({ status }) => status === 'firing').map((one) => ({ ...one, at: one.at / 1_000 }))
  const sent = canaries.map((one) => ({ ...one, at: one.sentAt / 1_000, row: 'sent' }))
  const loud = sent.filter(({ silenced, lost }) => !silenced && !lost)
  const lost = sent.filter((one) => one.lost)
  const counts = senders.map((host) => {
    const own = firing.filter((one) => one.host === host)
    return `${host} ${own.length}, of them ${own.filter(({ again }) => again).length} once more`
  })
  return chart(
    'Canary alerts sent, and notified by each Alertmanager',
    `${loud.length + lost.length} were sent, and ${canaries.length - loud.length - lost.length} more under a silence. Notified as firing: ${counts.join('; ') || 'none'}. ${lost.length} lost.`,
    {
      height: 70 + (senders.length + 1) * 26,
      x: axis(story),
      y: { label: null, domain: ['sent', ...senders], padding: 0.3 },
      r: { type: 'identity' },
      marks: [
        ...bands(story),
        Plot.dotX(loud, { x: 'at', y: 'row', r: 2.6, fill: 'var(--sent)' }),
        Plot.dotX(
          sent.filter(({ silenced }) => silenced),
          { x: 'at', y: 'row', r: 2.6, stroke: 'var(--muted)', fill: 'none' },
        ),
        Plot.dotX(lost, { x: 'at', y: 'row', r: 5, symbol: 'times', stroke: 'var(--bad)', strokeWidth: 2 }),
        Plot.dotX(together(firing.filter(({ again }) => !again)), {
          x: 'at',
          y: 'host',
          r: ({ count }: Together) => 2 * Math.sqrt(count),
          fill: 'var(--good)',
        }),
        Plot.dotX(together(firing.filter(({ again }) => again)), {
          x: 'at',
          y: 'host',
          r: ({ count }: Together) => 2 * Math.sqrt(count) + 3,
          symbol: 'diamond',
          stroke: 'var(--warn)',
          fill: 'none',
          strokeWidth: 1.6,
        }),
      ],
    },
  )
}

interface Together {
  readonly host: string
  readonly at: number
  readonly count: number
}
/** Notifications of one Alertmanager within the same second, as one. */
const together = (notices: readonly { readonly host: string; readonly at: number }[]): readonly Together[] =>
  [...Map.groupBy(notices, ({ host, at }) => `${Math.round(at)} ${host}`).values()].flatMap((some) =>
    some[0] ? [{ host: some[0].host, at: some[0].at, count: some.length }] : [],
  )

/** How long each canary took from the disk of a machine to its first notification. */
export const delayChart = (story: Story): Chart | null => {
  const taken = story.canaries.flatMap(({ sentAt, deliveredAt, silenced }) =>
    deliveredAt === undefined || silenced ? [] : [{ at: sentAt / 1_000, delay: (deliveredAt - sentAt) / 1_000 }],
  )
  if (taken.length === 0) return null
  const most = Math.max(...taken.map(({ delay }) => delay))
  const control = (story.drill?.figures.control.largestDelayMs ?? 0) / 1_000
  return chart(
    'How long each canary took to be notified',
    `The longest took ${most.toFixed(1)} s${control > 0 ? `; before the faults ${control.toFixed(1)} s` : ''}.`,
    {
      height: 210,
      x: axis(story),
      y: { label: 'seconds', grid: true, domain: [0, Math.max(most, control) * 1.1], nice: true },
      marks: [
        ...bands(story),
        ...(control > 0
          ? [
              Plot.ruleY([control], { stroke: 'var(--muted)', strokeDasharray: '4 3' }),
              Plot.text([control], {
                y: control,
                x: story.ms / 1_000,
                text: () => 'largest before the faults',
                textAnchor: 'end',
                dy: -7,
                fill: 'var(--muted)',
              } as Plot.TextOptions),
            ]
          : []),
        Plot.ruleX(taken, { x: 'at', y1: 0, y2: 'delay', stroke: 'var(--sent)', strokeWidth: 1.5 }),
        Plot.dot(taken, { x: 'at', y: 'delay', r: 2.4, fill: 'var(--sent)' }),
      ],
    },
  )
}

/** How many members of its cluster each one saw. */
export const memberChart = (story: Story): Chart | null => {
  const hosts = [...new Set(story.seen.map(({ host }) => host))].sort()
  if (hosts.length === 0) return null
  const most = Math.max(...story.seen.map(({ members }) => members))
  const steps = hosts.flatMap((host) => {
    const own = story.seen.filter((one) => one.host === host).map((one) => ({ ...one, at: one.at / 1_000 }))
    const last = own.at(-1)
    return last ? [...own, { ...last, at: story.ms / 1_000 }] : []
  })
  const least = hosts.map((host) => {
    const own = story.seen.filter((one) => one.host === host).map(({ members }) => members)
    return `${host} saw ${Math.min(...own)} at least and ${own.at(-1)} at the end`
  })
  return chart('Members of the cluster, as each member saw them', `${least.join('; ')}.`, {
    height: 50 + hosts.length * 62,
    marginRight: 60,
    x: axis(story),
    y: { label: null, domain: [0, most], ticks: most, tickFormat: 'd', grid: true },
    fy: { label: null, domain: hosts, padding: 0.25, axis: 'right' },
    marks: [
      ...bands(story),
      Plot.areaY(steps, {
        x: 'at',
        y: 'members',
        fy: 'host',
        curve: 'step-after',
        fill: 'var(--good)',
        fillOpacity: 0.25,
      }),
      Plot.lineY(steps, {
        x: 'at',
        y: 'members',
        fy: 'host',
        curve: 'step-after',
        stroke: 'var(--good)',
        strokeWidth: 2,
      }),
    ],
  })
}

/** A figure of many runs, one line for each of `of`. Names stand at the right, each led to the last point of its line. */
export const trendChart = (
  title: string,
  points: readonly { readonly at: number; readonly of: string; readonly value: number }[],
  unit: string,
): Chart | null => {
  if (points.length === 0) return null
  const rows = points.map((one) => ({ ...one, at: new Date(one.at), of: one.of }))
  const last = [...new Map(rows.map((one) => [one.of, one])).values()]
  const most = Math.max(1, ...rows.map(({ value }) => value))
  const edge = new Date(Math.max(...rows.map(({ at }) => at.getTime())))
  const names = apart(last, most).map((one) => ({ ...one, edge }))
  const said = last.map(({ of, value }) => `${of} ${Number(value.toFixed(1))}`)
  return chart(title, `The last of each, in ${unit}: ${said.join('; ')}.`, {
    height: Math.max(220, 60 + last.length * 22),
    marginRight: 210,
    x: { type: 'utc', label: null },
    y: { label: unit, grid: true, domain: [0, most * 1.05], tickFormat: most < 5 ? undefined : 'd' },
    color: {
      type: 'categorical',
      domain: last.map(({ of }) => of),
      range: last.map((_, at) => `var(--line-${at % 6})`),
    },
    marks: [
      Plot.link(names, { x1: 'at', x2: 'edge', y1: 'value', y2: 'label', stroke: 'of', strokeOpacity: 0.35 }),
      Plot.lineY(rows, { x: 'at', y: 'value', z: 'of', stroke: 'of', strokeWidth: 1.8 }),
      Plot.dot(rows, { x: 'at', y: 'value', fill: 'of', symbol: 'of', r: 4 }),
      Plot.text(names, {
        x: 'edge',
        y: 'label',
        text: 'of',
        textAnchor: 'start',
        dx: 12,
        fill: 'of',
        fontWeight: 600,
      }),
    ],
  })
}

/** Where each name stands: as near to its value as the others leave room, up to `most`. */
const apart = <T extends { readonly value: number }>(
  last: readonly T[],
  most: number,
): readonly (T & { readonly label: number })[] => {
  const sorted = [...last].sort((one, other) => one.value - other.value)
  const step = Math.min(most * 0.11, most / Math.max(1, sorted.length - 1))
  let above = Number.NEGATIVE_INFINITY
  const raised = sorted.map((one) => {
    above = Math.max(one.value, above + step)
    return { ...one, label: above }
  })
  let below = most + step
  return raised
    .reverse()
    .map((one) => {
      below = Math.min(one.label, below - step)
      return { ...one, label: below }
    })
    .reverse()
}

const axis = ({ ms }: Story): Plot.ScaleOptions => ({
  label: 'seconds since the start',
  domain: [0, ms / 1_000],
  tickFormat: 'd',
})

/** Where faults stood: behind everything else. */
const bands = ({ spans }: Story): readonly Plot.Markish[] => [
  Plot.rectX(spans.filter(({ kind }) => kind === 'fault').map(seconds), {
    x1: 'from',
    x2: 'to',
    fill: 'var(--fault)',
    fillOpacity: 0.14,
  }),
]

const seconds = (span: Span): Span => ({ ...span, from: span.from / 1_000, to: span.to / 1_000 })

/** Text on a bar: only where a host has none yet at about that place. */
const firstOfEach = (spans: readonly Span[]): readonly Span[] =>
  spans.filter(
    (one, at) =>
      !spans.slice(0, at).some(({ host, from, to }) => host === one.host && one.from < to && from <= one.from),
  )

const fitted = (text: string, { ms }: Story, from: number): string => {
  const room = Math.floor(((1 - (from * 1_000) / ms) * (WIDTH - LEFT - 20)) / 7.2)
  return text.length > room ? `${text.slice(0, Math.max(0, room - 1))}…` : text
}

const chart = (title: string, said: string, options: Plot.PlotOptions): Chart => {
  const made = Plot.plot({
    width: WIDTH,
    marginLeft: LEFT,
    marginBottom: 38,
    document: document as unknown as Plot.PlotOptions['document'],
    style: { background: 'transparent', fontSize: '13px', fontFamily: 'inherit' } as never,
    ...options,
  })
  // It is one picture: names of its parts, such as Plot gives them, are for nobody, and none of ARIA's.
  for (const part of made.querySelectorAll('[aria-label]')) part.removeAttribute('aria-label')
  made.setAttribute('role', 'img')
  // What it says in words stands below it.
  made.setAttribute('aria-label', title)
  return { title, said, svg: new Markup(made.outerHTML) }
}
