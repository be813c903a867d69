/**
 * Reports in a real browser: they open from a file alone, are read by axe without a finding, and are shown in light and dark. Takes Debian's chromium, or what
 * VESTAL_CHROMIUM names. Pictures are left in the folder that VESTAL_PICTURES names, to be looked at.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const CHROMIUM = process.env.VESTAL_CHROMIUM ?? '/usr/bin/chromium'
const RUNS = join(import.meta.dirname, '../fixtures/runs')
const folder = mkdtempSync(join(tmpdir(), 'vestal-browser-'))
const pictures = process.env.VESTAL_PICTURES ?? folder
const require = createRequire(import.meta.url)
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')
const SCHEMES = ['light', 'dark'] as const
type Scheme = (typeof SCHEMES)[number]

beforeAll(() => void mkdirSync(pictures, { recursive: true }))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Opens a page without any network. Returns what Chromium prints: the document with `--dump-dom`. */
const chromium = async (page: string, scheme: Scheme, ...flags: readonly string[]): Promise<string> => {
  const { stdout } = await promisify(execFile)(
    CHROMIUM,
    [
      ...[
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--hide-scrollbars',
        `--user-data-dir=${join(folder, 'user')}`,
      ],
      ...['--proxy-server=127.0.0.1:9', '--proxy-bypass-list=<-loopback>', '--virtual-time-budget=30000'],
      // 0 is dark, 1 is light (blink's PreferredColorScheme).
      `--blink-settings=preferredColorScheme=${scheme === 'dark' ? 0 : 1}`,
      ...flags,
      pathToFileURL(page).href,
    ],
    { timeout: 120_000, maxBuffer: 64 * 1024 * 1024 },
  )
  return stdout
}

/** The report of a kept run, as the command line writes it. */
const reportOf = async (run: string): Promise<string> => {
  const page = join(folder, `${run}.html`)
  const vestal = join(import.meta.dirname, '../../cli/vestal.js')
  await promisify(execFile)(process.execPath, [vestal, 'report', run, '-o', page], {
    env: { ...process.env, VESTAL_RUNS: RUNS },
  })
  return page
}

/** A copy that axe reads: its findings are then all that the document holds. The page itself forbids every script. */
const readByAxe = (page: string): string => {
  const copy = page.replace(/\.html$/, '.axe.html')
  const html = readFileSync(page, 'utf8').replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, '')
  const run = `axe.run().then(({ violations, passes }) => {
  const found = violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html, failureSummary }) => html + ' ' + failureSummary).join(' | '))
  document.title = JSON.stringify({ found, passed: passes.length })
})`
  writeFileSync(
    copy,
    html.replace('</body>', () => `<script>${axe}</script><script>${run}</script></body>`),
  )
  return copy
}
const titleOf = (document: string): string =>
  (/<title>([\s\S]*?)<\/title>/.exec(document)?.[1] ?? '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')

const runs = readdirSync(RUNS)

test('there are a roll, a partition and a drill that failed to make reports of', () => {
  expect(runs.map((run) => run.replace(/^[\d-]+|-[0-9a-f]{4}$/g, '')).sort()).toEqual([
    'drill-freeze-alertmanager',
    'drill-partition',
    'rolling-upgrade',
  ])
})

describe.skipIf(!existsSync(CHROMIUM))('in a browser', () => {
  describe.each(runs)('the report of %s', (run) => {
    let page = ''
    beforeAll(async () => {
      page = await reportOf(run)
    })

    test('is one file of less than 2 MB that runs and fetches nothing', () => {
      expect(statSync(page).size).toBeLessThan(2_000_000)
      const html = readFileSync(page, 'utf8')
      expect(html).toContain(`<meta http-equiv="Content-Security-Policy" content="default-src 'none'`)
      expect(html.match(/<(script|link|img|iframe)\b|\burl\(|\ssrc=/g)).toBeNull()
    })

    test.each(SCHEMES)('%s: axe finds nothing', async (scheme) => {
      const said = JSON.parse(titleOf(await chromium(readByAxe(page), scheme, '--dump-dom')))
      expect(said.found).toEqual([])
      expect(said.passed).toBeGreaterThan(10)
    })

    test('is shown in light and dark, each as it is meant', async () => {
      const shown = await Promise.all(
        SCHEMES.map(async (scheme) => {
          const picture = join(pictures, `${run}.${scheme}.png`)
          rmSync(picture, { force: true })
          await chromium(
            page,
            scheme,
            `--screenshot=${picture}`,
            '--window-size=1200,2400',
            `--user-data-dir=${join(folder, scheme)}`,
          )
          return readFileSync(picture)
        }),
      )
      for (const picture of shown) expect(picture.length).toBeGreaterThan(20_000)
      expect(shown[0]?.equals(shown[1] ?? Buffer.alloc(0))).toBe(false)
    })
  })
})
