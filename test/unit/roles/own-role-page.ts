import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const FILES = ['role.ts', 'playbook.ts', 'vestal.config.ts', 'inventory/hosts.yml', 'spool-exporter.py']
const LANGUAGES: Readonly<Record<string, string>> = { ts: 'ts', yml: 'yaml', py: 'python' }

/** The page with every code block that names one of the example's files made anew from that file. */
export const withFiles = (page: string, folder: string): string =>
  FILES.reduce((text, name) => {
    const heading = `\n\`own-role/${name}\`:\n\n`
    const at = text.indexOf(heading)
    if (at < 0) throw new Error(`the page does not show ${name}`)
    const start = at + heading.length
    const end = text.indexOf('\n```\n', start)
    const language = LANGUAGES[name.split('.').at(-1) ?? ''] ?? ''
    const file = readFileSync(join(folder, name), 'utf8')
    return `${text.slice(0, start)}\`\`\`${language}\n${file.trimEnd()}${text.slice(end < 0 ? text.length : end)}`
  }, page)
