import Table from 'cli-table3'
import type { Argv } from 'yargs'
import { auditEntry, auditRows } from '../../lib/report/audit.ts'
import { onOneLine, print, shown } from '../../lib/report/print.ts'
import { planText, reportText } from '../../lib/report/text.ts'
import { command } from '../command.ts'
import { drillText } from './drill/text.ts'

/** Lists runs, or shows one with its plan, report and (with `--json`) events. */
const audit = async ({ run, json }: { readonly run?: string; readonly json: boolean }): Promise<number> => {
  const found = run ? auditEntry(run) : auditRows()
  if (json) print(JSON.stringify(found, null, 2))
  else if (Array.isArray(found)) print(rowsText(shown(found)))
  else print(entryText(found as ReturnType<typeof auditEntry>))
  return 0
}

const rowsText = (rows: ReturnType<typeof auditRows>): string => {
  const table = new Table({
    head: ['run', 'by', 'inventory', 'result', 'changed'],
    style: { head: [], border: [], compact: true },
  })
  for (const row of rows) table.push([row.run, row.owner, row.inventory, row.result, row.changed])
  return rows.length > 0 ? table.toString() : 'No run has left a trace here yet.'
}

const entryText = (entry: ReturnType<typeof auditEntry>): string =>
  [
    onOneLine(`${entry.run} by ${entry.owner}, started ${entry.startedAt}: ${entry.result}`),
    ...(entry.plan ? [planText(entry.plan)] : []),
    ...(entry.report ? [entry.report.drill ? drillText(entry.report) : reportText(entry.report)] : []),
  ].join('\n\n')

export default command({
  name: 'audit',
  positionals: '[run]',
  summary: 'List earlier runs, or show one',
  examples: ['vestal audit'],
  options: (args: Argv) =>
    args
      .positional('run', { type: 'string' })
      .option('json', { type: 'boolean', default: false, describe: 'Output for programs' }),
  run: audit,
})
