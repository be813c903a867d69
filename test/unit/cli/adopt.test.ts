import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { vestal } from './machines.ts'

const there = mkdtempSync(join(tmpdir(), 'vestal-there-'))
const hosts = join(there, 'hosts.ini')
writeFileSync(hosts, '[prometheus]\nbox ansible_connection=local\n')

test.each<[readonly string[], string]>([
  [['-i', hosts, '--out', there], 'is there already, and nothing is written over'],
  [['--out', join(there, 'new')], 'no host is given'],
  [['-i', hosts, '--host', 'a', '--out', join(there, 'new')], '--host: is given beside an inventory'],
  [['--host', 'a,b:c', '--out', join(there, 'new')], '--host b:c: is no host'],
  [['--host', 'x'], 'out'],
])('vestal adopt %j is a mistake that is told before any machine is asked', async (words, what) => {
  const { code, stderr } = await vestal(['adopt', ...words])
  expect([code, stderr]).toEqual([2, expect.stringContaining(what)])
  expect(readdirSync(there)).toEqual(['hosts.ini'])
})

test('a machine without such programs gives no inventory, and a group that is called as ours needs no settings for that', () => {
  const out = join(there, 'none')
  // Processes of the machine that the tests run on are not seen.
  const alone = ['--pid', '--fork', '--mount-proc', process.execPath, 'cli/vestal.js']
  const ran = spawnSync('unshare', [...alone, 'adopt', '-i', hosts, '--out', out, '--json'], { encoding: 'utf8' })
  const said = JSON.parse(ran.stdout)
  expect([ran.status, said.vestal, said.hosts, said.files, existsSync(out)]).toEqual([1, 'adopt/1', {}, [], false])
  expect(said.notes).toEqual([
    expect.objectContaining({ host: 'box', what: expect.stringContaining('nothing runs there') }),
  ])
})
