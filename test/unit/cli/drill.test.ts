import { expect, test } from 'vitest'
import { scenarios } from '../../../playbooks/drills/all.ts'
import { vestal } from './machines.ts'

const ON = ['-i', 'inventory/ha']

test.each<[readonly string[], string]>([
  [['partitoin', ...ON], 'did you mean `partition`?'],
  [[...ON], 'which scenario?'],
  [['--all', 'partition', ...ON], '--all: and some by name'],
  [['partition'], 'which fleet?'],
  [['heal', 'partition', ...ON], 'it takes no scenario'],
  [['partition', ...ON, '--control', '3'], '--control takes a time'],
  [['partition', ...ON, '--limit', 'am-1'], 'a drill is about the whole fleet'],
  [['restart-alertmanagers', ...ON], 'it takes away every Alertmanager, the last one too'],
  [['./nowhere.ts', ...ON], 'nowhere.ts'],
])('vestal drill %j is a mistake that is told before any machine is touched', async (words, what) => {
  const { code, stderr } = await vestal(['drill', ...words])
  expect([code, stderr]).toEqual([2, expect.stringContaining(what)])
})

test('the list of scenarios needs no fleet, for programs neither', async () => {
  const { code, stdout } = await vestal(['drill', '--list', '--json'])
  const { vestal: form, scenarios: list } = JSON.parse(stdout) as { vestal: string; scenarios: { name: string }[] }
  expect([code, form, list.map(({ name }) => name)]).toEqual([0, 'drill-list/1', scenarios.map(({ name }) => name)])
})
