/** Writes the table of findings into docs/check.md from the rules themselves; a test holds the page equal to it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { checkRules } from '../cli/commands/check.ts'

const page = fileURLToPath(new URL('../docs/check.md', import.meta.url))
const HEAD = '## Findings\n'

/** The page as it must be: what stands before the findings is written by hand. */
export const checkPage = (): string => {
  const text = readFileSync(page, 'utf8')
  const findings = checkRules.map(
    ({ id, severity, why, fix }) => `### ${id}\n\n${severity === 'error' ? 'Error' : 'Warning'}. ${why} ${fix}\n`,
  )
  return `${text.slice(0, text.indexOf(HEAD))}${HEAD}\n${findings.join('\n')}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(page, checkPage())
