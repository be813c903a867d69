/** Writes the catalogue into docs/exporters.md from its data; a test holds the page equal to it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import type { Exporter } from '../lib/program/exporter.ts'
import { catalogue } from '../roles/exporters/catalogue.ts'

const page = fileURLToPath(new URL('../docs/exporters.md', import.meta.url))
const HEAD = '## Catalogue\n'

/** The page as it must be: what stands before the catalogue is written by hand. */
export const exportersPage = (): string => {
  const text = readFileSync(page, 'utf8')
  const sorted = catalogue.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return `${text.slice(0, text.indexOf(HEAD))}${HEAD}
| name | port | what | package of Debian | flag of a roll |
|---|---|---|---|---|
${sorted.map(rowOf).join('\n')}

${sorted.map(sectionOf).join('\n')}`
}

const rowOf = ({ name, port, summary, package: distributed, release }: Exporter): string =>
  `| [\`${name}\`](#${name}) | ${port} | ${summary} | ${distributed ? `\`${distributed.name}\`` : ''} | \`--${release.name.replaceAll('_', '-')}\` |`

const sectionOf = (exporter: Exporter): string => {
  const {
    name,
    release,
    config,
    environment = {},
    secretFlags = {},
    probe,
    sandbox,
    packages = [],
    alerts,
    alsoListens = [],
  } = exporter
  const lines = [
    `[${release.owner}/${release.repo}](https://github.com/${release.owner}/${release.repo})`,
    ...(config ? [`configuration: \`--${config.flag}\`${config.needed && !config.default ? ', needed' : ''}`] : []),
    ...(exporter.webConfigFlag === null ? ['no web configuration'] : []),
    ...Object.entries(environment).map(([variable, what]) => `\`${variable}\`: ${what}`),
    ...Object.entries(secretFlags).map(([flag, instead]) => `not \`--${flag}\`: ${instead}`),
    ...(probe ? [`probes: \`${probe.path}\`${probe.module ? `, with \`${probe.module}\`` : ''}`] : []),
    ...(alsoListens.length > 0
      ? [`listens to ${alsoListens.map(({ port, protocol }) => `${port}/${protocol}`).join(', ')} too`]
      : []),
    ...(packages.length > 0 ? [`brings ${packages.map((one) => `\`${one}\``).join(', ')}`] : []),
    ...(exporter.runsAs === 'root' ? ['runs as root'] : []),
    ...(sandbox ? [`may do more than others: ${sandbox.why}`] : []),
    ...(alerts ? [`alerts: ${alertsIn(alerts).join(', ')}`] : []),
  ]
  return `### ${name}\n\n${lines.map((line) => `- ${line}`).join('\n')}\n`
}

const alertsIn = (file: URL): readonly string[] =>
  (parse(readFileSync(file, 'utf8')) as { groups: { rules: { alert?: string }[] }[] }).groups.flatMap(({ rules }) =>
    rules.flatMap(({ alert }) => (alert === undefined ? [] : [`\`${alert}\``])),
  )

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(page, exportersPage())
