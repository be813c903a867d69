/** Reports of drills that were held on a lab: a partition that passed, and a frozen Alertmanager that failed. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseHTML } from 'linkedom'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { auditEntry } from '../../../../lib/report/audit.ts'
import { openMetrics, storyJson, storyJunit } from '../../../../lib/report/story/forms.ts'
import { storyPage } from '../../../../lib/report/story/page.ts'
import { type Story, storyOf } from '../../../../lib/report/story/story.ts'
import { trendPage } from '../../../../lib/report/story/trend.ts'

const PARTITION = '20261127-225832-drill-partition-4a0a'
const FROZEN = '20261127-230226-drill-freeze-alertmanager-20a8'
const ROLL = '20261128-001953-rolling-upgrade-5ff5'
const before = process.env.VESTAL_RUNS
beforeAll(() => {
  process.env.VESTAL_RUNS = fileURLToPath(new URL('../../../fixtures/runs', import.meta.url))
})
afterAll(() => {
  process.env.VESTAL_RUNS = before
  if (before === undefined) delete process.env.VESTAL_RUNS
})
const tell = (run: string): Story => storyOf(auditEntry(run))
/** What a page shows to a reader. */
const read = (page: string) => parseHTML(page).document

describe('a partition that passed', () => {
  test('is told with its fault, who notified what, and who saw whom', () => {
    const story = tell(PARTITION)
    expect(story.result).toBe('passed')
    expect(story.spans).toEqual([
      { host: 'am-1', what: 'am-1 is cut off from the gossip', kind: 'fault', from: 32_617, to: 72_952 },
    ])
    expect(story.canaries.filter(({ silenced }) => !silenced)).toHaveLength(68)
    expect(story.notices.filter(({ again }) => again)).toHaveLength(35)
    const am1 = story.seen.filter(({ host }) => host === 'am-1').map(({ members }) => members)
    expect(am1).toEqual([3, 2, 1, 3])
  })

  test('is a page that says so in words, asks for nothing from outside, and is small', () => {
    const page = storyPage(tell(PARTITION))
    const { title, body } = read(page) as unknown as { title: string; body: { textContent: string } }
    expect(title).toBe('drill partition: passed')
    expect(body.textContent).toContain('Everything held.')
    expect(body.textContent).toContain('am-1 saw 1 at least and 3 at the end')
    expect(page).not.toMatch(/<script|<link|<img|src=|@import|href="http/i)
    expect(page.length).toBeLessThan(500_000)
  })
})

describe('a roll', () => {
  test('is told with whose turn was when, one after the other, and what each notified meanwhile', () => {
    const story = tell(ROLL)
    expect([story.result, story.drill, story.alerts?.lost]).toEqual(['passed', undefined, 0])
    expect(story.spans.map(({ host, kind }) => `${host} ${kind}`)).toEqual(
      ['am-1', 'am-2', 'am-3', 'prom-1', 'prom-2'].map((host) => `${host} work`),
    )
    const turns = story.spans.map(({ from, to = from }) => [from, to] as const)
    expect(turns.every(([from], at) => at === 0 || from > (turns[at - 1]?.[1] ?? 0))).toBe(true)
    expect(story.canaries.filter(({ silenced }) => !silenced)).toHaveLength(21)
  })

  test('is a page of steps, gates and canaries, with nothing of a drill', () => {
    const { title, body } = read(storyPage(tell(ROLL))) as unknown as { title: string; body: { textContent: string } }
    expect(title).toBe('rolling-upgrade: passed')
    expect(body.textContent).toContain('am-1: Alertmanagers, one at a time, from')
    expect(body.textContent).not.toContain('Faults undone')
  })
})

test('a drill that failed says why before all else', () => {
  const document = read(storyPage(tell(FROZEN)))
  expect(document.querySelector('.verdict')?.textContent).toContain('failed')
  expect(document.querySelector('header li')?.textContent).toBe('2 alerts notified as resolved while firing')
  const rows = [...document.querySelectorAll('section:first-of-type tr')].map((row) => row.textContent)
  expect(rows.filter((row) => row?.includes('did not hold'))).toEqual(['Said to be over while it fired2✗ did not hold'])
})

test('what hosts have said is text on the page and in XML, wherever it stands', () => {
  const hostile = '<script>alert(1)</script>"\'&\u001b[2J\u202e]]>'
  const story = tell(FROZEN)
  const all = {
    ...story,
    run: hostile,
    playbook: hostile,
    inventory: hostile,
    owner: hostile,
    causes: [hostile],
    hosts: [hostile],
    spans: [{ host: hostile, what: hostile, kind: 'fault' as const, from: 0, to: 90_000 }],
    notices: story.notices.map((one) => ({ ...one, host: hostile })),
    seen: story.seen.map((one) => ({ ...one, host: hostile })),
    gates: [{ play: hostile, host: hostile, name: hostile, pass: false, why: hostile, ms: 1 }],
  }
  for (const made of [storyPage(all), storyJunit(all), trendPage([all])]) {
    expect(made).not.toContain('<script')
    expect(made).not.toContain('\u001b')
    expect(made).not.toContain('\u202e')
  }
})

test('JUnit has a failure for what did not hold, and none for what did', () => {
  expect(storyJunit(tell(PARTITION))).toContain('failures="0"')
  const failed = storyJunit(tell(FROZEN))
  expect(failed).toContain('failures="2"')
  expect(failed).toMatch(/name="verdict"[^>]*><failure message="failed">/)
  expect(failed).toMatch(/name="Said to be over while it fired"[^>]*><failure message="2">/)
})

test('OpenMetrics has each family in one piece, labels escaped, and its end', () => {
  const text = openMetrics([tell(PARTITION), { ...tell(FROZEN), inventory: 'a"b\\c\nd' }])
  const lines = text.trimEnd().split('\n')
  expect(lines.at(-1)).toBe('# EOF')
  const families = lines.flatMap((line) => /^# TYPE (\S+) gauge$/.exec(line)?.[1] ?? [])
  expect(new Set(families).size).toBe(families.length)
  const sample = /^[a-z_]+\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*\} -?\d+(?:\.\d+)?$/
  for (const line of lines.filter((one) => !one.startsWith('#'))) expect(line).toMatch(sample)
  expect(text).toContain(
    'vestal_run_result{playbook="drill freeze-alertmanager",inventory="a\\"b\\\\c\\nd",result="failed"} 1',
  )
})

test('JSON has the whole story', () => {
  const { vestal, result, drill, lines } = JSON.parse(storyJson(tell(FROZEN)))
  expect({ vestal, result, verdict: drill.verdict }).toEqual({ vestal: 'story/1', result: 'failed', verdict: 'failed' })
  expect(lines).toContainEqual({ what: 'Canary alerts lost', seen: '0 of 57', held: true })
})

test('a trend draws one line for each kind of run and lists all', () => {
  const document = read(trendPage([tell(PARTITION), tell(FROZEN)]))
  expect(document.querySelectorAll('svg').length).toBe(5)
  expect(document.querySelectorAll('tbody tr')).toHaveLength(2)
  expect(document.querySelector('figcaption')?.textContent).toContain('drill freeze-alertmanager 14.5')
})

test('a run that was killed is told as far as it came', () => {
  const entry = auditEntry(PARTITION)
  const story = storyOf({ ...entry, report: null, events: entry.events.slice(0, 40), result: 'ended unexpectedly' })
  expect(story.result).toBe('unfinished')
  expect(read(storyPage(story)).querySelector('header li')?.textContent).toContain('left no report')
})

test('the shown commands of the page are those of the program', () => {
  const page = readFileSync(new URL('../../../../docs/report.md', import.meta.url), 'utf8')
  for (const format of ['json', 'junit', 'openmetrics']) expect(page).toContain(`--format ${format}`)
})
