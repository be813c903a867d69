import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')
const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...globSync('docs/**/*.md', { cwd: root })].map((page) =>
  join(root, page),
)

test.each(pages.map((page) => relative(root, page)))('every link of %s leads somewhere', (page) => {
  expect(brokenLinks(join(root, page))).toEqual([])
})

test('links are found on the pages at all', () => {
  expect(pages.flatMap(linksOf).length).toBeGreaterThan(50)
})

/** The relative links of a page that lead to no file, or to no heading of the page they lead to. */
function brokenLinks(page: string): readonly string[] {
  return linksOf(page).filter((link) => {
    const [path = '', anchor] = link.split('#')
    const file = path === '' ? page : join(dirname(page), decodeURI(path))
    if (!existsSync(file)) return true
    return anchor !== undefined && (statSync(file).isDirectory() || !anchorsOf(file).has(anchor))
  })
}

function linksOf(page: string): readonly string[] {
  const prose = proseOf(page).replaceAll(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s]+)[^)]*\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^([a-z][a-z+.-]*:|\/\/)/i.test(link))
}

/** As GitHub makes them: lower case, no punctuation, dashes for spaces, and a number where a heading comes again. */
function anchorsOf(page: string): ReadonlySet<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of proseOf(page).matchAll(/^#{1,6} +(.+)$/gm)) {
    const text = heading
      .trim()
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
    const anchor = text.replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '').replaceAll(' ', '-')
    const taken = (n: number): string => (n === 0 ? anchor : `${anchor}-${n}`)
    let count = 0
    while (anchors.has(taken(count))) count += 1
    anchors.add(taken(count))
  }
  return anchors
}

function proseOf(page: string): string {
  return readFileSync(page, 'utf8').replaceAll(/^ *```.*?^ *```/gms, '')
}
