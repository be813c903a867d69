import { roleVariables } from '../../../lib/inventory/schema/role-variables.ts'
import type { Role } from '../../../lib/model.ts'

const HEADING = '## Settings\n'

/** A role's page with its table of settings made anew from the schema; what stands before the table is written by people. */
export const pageWithSettings = (role: Pick<Role, 'name' | 'vars'>, page: string): string => {
  const at = page.indexOf(HEADING)
  if (at < 0) throw new Error(`the page of ${role.name} has no heading "${HEADING.trim()}"`)
  return `${page.slice(0, at)}${HEADING}\n${table(role)}`
}

const table = (role: Pick<Role, 'vars'>): string =>
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

/** The page that lists all roles. */
export const indexPage = (roles: readonly Role[], folderOf: (role: Role) => string): string =>
  [
    '# Roles',
    '',
    'A role brings one thing to a machine. A host has the roles of its groups; its settings are an inventory variable with the name in the last column.',
    'A role of your own is a page further: [own-role.md](../own-role.md).',
    '',
    '| role | what it brings | hosts of group | settings under |',
    '|---|---|---|---|',
    ...roles.map(
      (role) =>
        `| [${role.name}](../../roles/${folderOf(role)}/README.md) | ${role.summary} | ${role.group ?? 'any'} | \`${role.key}\` |`,
    ),
    '',
  ].join('\n')
