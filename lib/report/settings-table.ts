import { roleVariables } from '../inventory/schema/role-variables.ts'
import type { Role } from '../model.ts'

/** A role's settings as a table in Markdown: each with its type, its default and what it is. */
export const settingsTable = (role: Pick<Role, 'vars'>): string =>
  [
    '| setting | type | default | what it is |',
    '|---|---|---|---|',
    ...roleVariables(role).map(
      ({ name, type, default: value, description }) =>
        `| \`${name}\` | ${cell(type)} | ${value === 'required' || value === '' ? value : `\`${cell(value)}\``} | ${cell(description)} |`,
    ),
    '',
  ].join('\n')

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
