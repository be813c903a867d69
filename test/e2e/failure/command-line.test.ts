import { describe, expect, it } from 'vitest'
import { rolesOf } from '../../../lib/playbook.ts'
import deploy from '../../../playbooks/deploy.ts'
import { vestal } from '../vestal.ts'
import { fleetOf, inventoryOf } from './fleet.ts'

const inventory = inventoryOf(fleetOf(0))
const usage = (what: string) => ({ where: 'command line', what, fix: 'See vestal --help.' })

describe.concurrent('words that make no sense are told as such, and touch no machine', () => {
  const senseless = [
    { words: [], mistake: usage('Which command?') },
    { words: ['deply', '-i', inventory], mistake: usage('Did you mean deploy?') },
    { words: ['deploy', '-i', inventory, '--nope'], mistake: usage('Unknown argument: nope') },
    { words: ['deploy', '-i', inventory, 'prom-1'], mistake: usage('Unknown argument: prom-1') },
    { words: ['deploy'], mistake: usage('Missing required argument: inventory') },
    { words: ['status'], mistake: usage('Missing required argument: inventory') },
    { words: ['deploy', '-i'], mistake: usage('Not enough arguments following: i') },
    { words: ['plan', '-i', inventory, '--limit'], mistake: usage('Not enough arguments following: limit') },
    { words: ['plan', '-i', inventory, '--forks', '0'], mistake: usage('--forks takes a whole number from 1') },
    { words: ['plan', '-i', inventory, '--forks', 'many'], mistake: usage('--forks takes a whole number from 1') },
    {
      words: ['deploy', '-i', '/nonexistent'],
      mistake: { where: '/nonexistent', what: 'there is no such file or folder' },
    },
    {
      words: ['deploy', '-i', inventory, '--limit', 'monitr'],
      mistake: {
        where: '--limit',
        path: 'monitr',
        what: 'no host or group is called that; did you mean `monitor`?',
        fix: 'vestal inventory lists groups and hosts',
      },
    },
    {
      words: ['deploy', '-i', inventory, '--limit', 'node:!node_exporter'],
      mistake: {
        where: '--limit',
        path: 'node:!node_exporter',
        what: 'no host is left',
        fix: 'vestal inventory lists groups and hosts',
      },
    },
    {
      words: ['deploy', '-i', inventory, '--tags', 'rules,promethus'],
      mistake: {
        where: '--tags',
        path: 'promethus',
        what: 'no role or task has that tag; did you mean `prometheus`?',
        fix: `there are ${rolesOf(deploy)
          .map(({ name }) => name)
          .join(', ')}`,
      },
    },
    {
      words: ['deploy', '-i', inventory, '--break-lock', 'nodes'],
      mistake: {
        where: '--break-lock',
        path: 'nodes',
        what: 'no host of this run is called that; did you mean `node`?',
        fix: 'vestal inventory lists the hosts',
      },
    },
    {
      words: ['audit', 'yesterday'],
      mistake: { where: 'vestal audit', what: 'there is no run yesterday', fix: 'List them with `vestal audit`.' },
    },
  ]
  for (const { words, mistake } of senseless) {
    it(['vestal', ...words].join(' ').replace(inventory, 'INVENTORY'), async () => {
      const { code, stderr } = await vestal([...words, '--json'])
      expect(JSON.parse(stderr)).toEqual({ error: 'input', mistakes: [mistake] })
      expect(code).toBe(2)
    })
  }

  it('in words for people, too', async () => {
    const { code, stdout, stderr } = await vestal(['deploy', '-i', '/nonexistent', '-i', '/nowhere'])
    expect(stderr).toBe(`/nonexistent: there is no such file or folder
/nowhere: there is no such file or folder
2 mistakes; no machine was touched.
`)
    expect([code, stdout]).toEqual([2, ''])
  })
})
