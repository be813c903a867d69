/** The example of a user's own role. `vitest run --project unit test/unit/roles/own-role.test.ts -u` puts its files into the page. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { withFiles } from './own-role-page.ts'

const root = join(import.meta.dirname, '../../..')
const json = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'))

test('the page shows the files as they are', async () => {
  const path = join(root, 'docs/own-role.md')
  await expect(withFiles(readFileSync(path, 'utf8'), join(root, 'docs/own-role'))).toMatchFileSnapshot(path)
})

test('the folder asks for the zod that this package has, and for no Vestal of a registry, where anyone may have taken the name', () => {
  const { dependencies } = json('package.json')
  expect(json('docs/own-role/package.json').dependencies).toEqual({ zod: dependencies.zod })
})
