import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

const root = join(import.meta.dirname, '../../..')
const rules = join(root, 'roles/rules/files')

test('every shipped alert has a runbook page of its name, and every page an alert', () => {
  const alerts = readdirSync(rules).flatMap((name) =>
    (parse(readFileSync(join(rules, name), 'utf8')) as { groups: { rules: { alert?: string }[] }[] }).groups.flatMap(
      (group) => group.rules.flatMap(({ alert }) => alert ?? []),
    ),
  )
  const pages = readdirSync(join(root, 'docs/runbooks')).map((name) => name.replace(/\.md$/, ''))
  expect(pages.sort()).toEqual(alerts.sort())
})
