import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { shippedRoles } from '../../roles/registry.ts'

const lib = join(import.meta.dirname, '../../lib')
/** These speak a program's own protocol; the lab mirrors releases. */
const MAY = ['api', 'gates', 'routing', 'lab']

test('no file of lib decides by the name of a program: what a role can do is said by the role', () => {
  const names = shippedRoles.map(({ name }) => name).filter((name) => !['base', 'rules', 'exporters'].includes(name))
  const named = new RegExp(`(['"\`])(?:${names.join('|')})\\1`)
  const files = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !MAY.includes(file.split('/')[0] ?? ''),
  )
  const guilty = files.filter((file) => named.test(readFileSync(join(lib, file), 'utf8')))
  expect([names.length > 5, files.length > 100, guilty]).toEqual([true, true, []])
})
