import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { selectHosts } from '../../../lib/inventory/select-hosts.ts'
import { inFolder, load, yaml } from './files.ts'

const files = {
  'hosts.yml': yaml`
    web:
      hosts: { "web[1:4]": }
    database:
      hosts: { db1: , web4: }
    spare:
  `,
}
const names = async (pattern: string) => selectHosts(await load({ files }), pattern).map(({ name }) => name)

describe('a limit', () => {
  test('keeps the order of the inventory, not its own', async () => {
    expect(await names('db1,web3,web1')).toEqual(['web1', 'web3', 'db1'])
  })
  test('reads patterns from a file, one a line', async () => {
    await inFolder({ 'retry.txt': 'web1\n\n  db1  \n!web1\n' }, async (folder) => {
      expect(await names(`@${folder}/retry.txt`)).toEqual(['db1'])
      writeFileSync(join(folder, 'more'), 'web2\n')
      expect(await names(`@${folder}/retry.txt,@${folder}/more`)).toEqual(['web2', 'db1'])
    })
  })
  test('works on an inventory that was not loaded from files', async () => {
    const { hosts } = await load({ files })
    const plain = { name: 'plain', folder: '/', hosts, roles: [] }
    expect(selectHosts(plain, 'database:!web').map(({ name }) => name)).toEqual(['db1'])
  })

  test.each([
    [
      'web9',
      '--limit: web9: no host or group is called that; did you mean `web1`?\n  vestal inventory lists groups and hosts',
    ],
    [
      'web,!databse',
      '--limit: !databse: no host or group is called that; did you mean `database`?\n  vestal inventory lists groups and hosts',
    ],
    ['app*', '--limit: app*: no host or group is called that\n  vestal inventory lists groups and hosts'],
    ['web:&db1', '--limit: web:&db1: no host is left\n  vestal inventory lists groups and hosts'],
    ['spare', '--limit: spare: no host is left\n  vestal inventory lists groups and hosts'],
    ['web[4]', '--limit: web[4]: it has only 4 hosts\n  the first host is [0], the last [-1]'],
    ['~web(', '--limit: ~web(: not a valid pattern'],
    ['@/nonexistent', '--limit: @/nonexistent: there is no file /nonexistent\n  it holds one pattern a line'],
  ])('of %s is refused', async (pattern, error) => {
    await expect(names(pattern)).rejects.toHaveProperty('message', error)
  })
  test('tells every name that is wrong', async () => {
    await expect(names('wbe,dbb1')).rejects.toThrow(/wbe[\s\S]*dbb1/)
  })
})
