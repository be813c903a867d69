/** `vitest run --project unit test/unit/routing/page.test.ts -u` writes the table of docs/teams.md anew. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { roleVariables } from '../../../lib/inventory/schema/role-variables.ts'
import { teamSchema } from '../../../lib/routing/team-schema.ts'
import { pageWithSettings } from '../roles/pages.ts'
import { load } from './teams.ts'

const path = join(import.meta.dirname, '../../../docs/teams.md')

test('the page of teams lists the settings that their schema has', async () => {
  const page = pageWithSettings({ name: 'teams', vars: teamSchema }, readFileSync(path, 'utf8'))
  await expect(page).toMatchFileSnapshot(path)
})

test('every setting of a team says what it is', () => {
  const silent = roleVariables({ vars: teamSchema }).filter(({ description }) => description === '')
  expect(silent).toEqual([])
})

test('the example on the page is one', () => {
  const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(readFileSync(path, 'utf8')) ?? []
  const names = Object.keys(parse(example))
  const { teams } = load({ 'a.yml': example.replace('{ $file: ../secrets/payments }', 'key') }, { PAYMENTS_SLACK: 'x' })
  expect(teams.map(({ name }) => name)).toEqual(names)
})
