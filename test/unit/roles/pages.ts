import type { Role } from '../../../lib/model.ts'
import { settingsTable } from '../../../lib/report/settings-table.ts'

const HEADING = '## Settings\n'

/** A role's page with its table of settings made anew from the schema; what stands before the table is written by people. */
export const pageWithSettings = (role: Pick<Role, 'name' | 'vars'>, page: string): string => {
  const at = page.indexOf(HEADING)
  if (at < 0) throw new Error(`the page of ${role.name} has no heading "${HEADING.trim()}"`)
  return `${page.slice(0, at)}${HEADING}\n${settingsTable(role)}`
}

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
