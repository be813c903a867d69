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
  [['kill-prometheus', ...ON, '--set', 'percent=1'], 'no scenario that is to be held has a setting percent'],
  [['routes', ...ON, '--limit', 'am-1'], 'an alert goes to every Alertmanager'],
  [['routes', ...ON, '--tenant', 'payments'], 'no host is in the group cortex_alertmanager'],
  [['routes', '-i', 'inventory/cortex', '--tenant', '../x'], 'is no name of a tenant'],
  [['kill-prometheus', ...ON, '--tenant', 'payments'], 'a scenario is about the whole ring'],
  [
    ['schedule', 'install', 'kill-prometheus', ...ON, '--at', 'daily', '--tenant', 'x'],
    'a scenario is about the whole ring',
  ],
  [['schedule', ...ON], 'install, remove or status?'],
  [['schedule', 'install', 'routes', ...ON], 'when?'],
  [
    ['schedule', 'install', 'routes', ...ON, '--at', 'some day', '--textfile', 'none'],
    'systemd does not know the time "some day"',
  ],
  [['schedule', 'install', 'routes', ...ON, '--at', 'daily', '--textfile', '/nowhere'], '/nowhere is not there'],
  [['schedule', 'install', 'routes', ...ON, '--at', 'daily', '--name', '../x'], '../x is no name'],
  [['schedule', 'install', 'restart-alertmanagers', ...ON, '--at', 'daily'], 'the last one too'],
  [['schedule', 'remove', 'no-such-schedule'], 'there is no schedule no-such-schedule'],
])('vestal drill %j is a mistake that is told before any machine is touched', async (words, what) => {
  const { code, stderr } = await vestal(['drill', ...words])
  expect([code, stderr]).toEqual([2, expect.stringContaining(what)])
})

test('the list of scenarios needs no fleet, for programs neither', async () => {
  const { code, stdout } = await vestal(['drill', '--list', '--json'])
  const { vestal: form, scenarios: list } = JSON.parse(stdout) as { vestal: string; scenarios: { name: string }[] }
  expect([code, form, list.map(({ name }) => name)]).toEqual([0, 'drill-list/1', scenarios.map(({ name }) => name)])
})
