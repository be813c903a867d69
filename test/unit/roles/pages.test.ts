/** The pages of the roles are held equal to their schemas; `vitest run --project unit test/unit/roles/pages.test.ts -u` writes them anew. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { roleVariables } from '../../../lib/inventory/schema/role-variables.ts'
import type { Role } from '../../../lib/model.ts'
import { roles } from './fleet.ts'
import { indexPage, pageWithSettings } from './pages.ts'

const root = join(import.meta.dirname, '../../..')
const folderOf = (role: Role): string => role.name.replaceAll('_', '-')

describe.each(roles.map((role) => [role.name, role] as const))('%s', (_, role) => {
  test('its page lists the settings that its schema has', async () => {
    const path = join(root, 'roles', folderOf(role), 'README.md')
    await expect(pageWithSettings(role, readFileSync(path, 'utf8'))).toMatchFileSnapshot(path)
  })

  test('every setting says what it is', () => {
    expect(roleVariables(role).filter(({ description }) => description === '')).toEqual([])
  })
})

test('the list of roles has them all', async () => {
  await expect(indexPage(roles, folderOf)).toMatchFileSnapshot(join(root, 'docs/roles/README.md'))
})
