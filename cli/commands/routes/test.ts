import Table from 'cli-table3'
import type { Inventory } from '../../../lib/model.ts'
import { paint } from '../../../lib/report/paint.ts'
import { print } from '../../../lib/report/print.ts'
import { runCase, titleOf } from '../../../lib/routing/cases.ts'
import { counted } from '../../../lib/wording.ts'
import type { TeamRouting } from '../../../roles/alertmanager/teams.ts'
import type { RoutesFlags } from './flags.ts'

/** Runs the cases of the teams. Exit code 1 where one fails. */
export const test = (inventory: Inventory, routing: TeamRouting, { json }: Pick<RoutesFlags, 'json'>): number => {
  const rows = routing.cases.map((one) => {
    const { answer, differences } = runCase(routing, one)
    return {
      where: one.where(),
      case: titleOf(one),
      passed: differences.length === 0,
      differences,
      team: answer.team,
      receivers: answer.told.map(({ receiver }) => receiver),
      inhibited: answer.inhibited,
    }
  })
  const failed = rows.filter(({ passed }) => !passed).length
  if (json) {
    const answer = { vestal: 'routes-test/1', inventory: inventory.name, cases: rows }
    print(JSON.stringify(answer, null, 2))
  } else {
    const grid = new Table({
      head: ['case', 'told', ''],
      style: { head: [], border: [], compact: true },
      wordWrap: true,
    })
    for (const row of rows)
      grid.push([
        row.case,
        row.receivers.join('\n'),
        row.passed ? paint('green', 'passes') : paint('red', `${row.where}\n${row.differences.join('\n')}`),
      ])
    print(`${rows.length > 0 ? `${grid.toString()}\n` : ''}${counted(rows.length, 'case')}, ${failed} failed`)
  }
  return failed > 0 ? 1 : 0
}
