import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { scenariosNamed } from '../../../cli/commands/drill/scenarios.ts'
import { scenarioRow } from '../../../cli/commands/drill/text.ts'
import { scenarios } from '../../../playbooks/drills/all.ts'

const page = readFileSync('docs/drill.md', 'utf8')

/** The rows of the page's table. */
const rows = scenarios
  .map(scenarioRow)
  .map(
    ({ name, summary, lastsSeconds, duplicates, delay, where }) =>
      `| \`${name}\`${where === 'lab' ? ' (lab)' : ''} | ${summary} | ${lastsSeconds} s | ${duplicates} | ${delay} |`,
  )

test('the page of drills has every scenario, as the code has it, and no other', () => {
  const table = page.split('## Scenarios')[1]?.split('\n## ')[0] ?? ''
  expect(table.split('\n').filter((line) => line.startsWith('| `'))).toEqual(rows)
})

test("the scenario of one's own on that page is one, and a file that holds none is refused with where it is", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vestal-drill-'))
  try {
    const [, example = ''] = /```ts\n([\s\S]*?)```/.exec(page) ?? []
    const lib = (name: string) => JSON.stringify(join(import.meta.dirname, '../../../lib/drill', name))
    const mine = join(folder, 'mine.ts')
    writeFileSync(
      mine,
      example.replace("'vestal/drill/faults'", lib('fault.ts')).replace("'vestal/drill'", lib('scenario.ts')),
    )
    writeFileSync(join(folder, 'none.ts'), 'export default { name: 1 }\n')
    expect(await scenariosNamed([mine])).toMatchObject([{ name: 'freeze-both-sides', lasts: '45s' }])
    await expect(scenariosNamed([join(folder, 'none.ts')])).rejects.toThrow(
      'the default export of none.ts is no scenario',
    )
    await expect(scenariosNamed(['partitoin'])).rejects.toThrow('did you mean `partition`?')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
