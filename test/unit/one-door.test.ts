import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** What writes to a terminal past the one place that shows text rather than commands. */
const WRITES =
  /\bconsole\.[a-z]+\(|\bstd(?:out|err)\.write\(|\bstd(?:out|err)\.(?:cork|end|pipe)\(|\bpipe\(process\.std/

test('everything that people see is written by lib/report/print.ts', () => {
  const files = globSync('{cli,fleet,lib,playbooks,roles}/**/*.ts').filter((file) => file !== 'lib/report/print.ts')
  expect(files.length).toBeGreaterThan(200)
  const found = files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, at) => (WRITES.test(line) ? [`${file}:${at + 1}: ${line.trim()}`] : [])),
  )
  expect(found).toEqual([])
})
