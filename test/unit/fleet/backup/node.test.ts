import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkSaved } from '../../../../fleet/backup/node.ts'
import type { StatefulService } from '../../../../fleet/stateful-services.ts'
import { data } from '../../../../roles/alertmanager/data.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vestal-saved-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const SILENCE = {
  id: 'a',
  status: { state: 'active' },
  matchers: [{ name: 'alertname', value: 'x', isRegex: false }],
  startsAt: '2026-01-01T00:00:00Z',
  endsAt: '2026-01-02T00:00:00Z',
  createdBy: 'ann',
  comment: 'maintenance',
}
const checked = (): Promise<string> => {
  const part = { role: 'alertmanager', version: '0.33.1', files: [{ name: 'silences.json', bytes: 0, sha256: '' }] }
  return checkSaved({ data } as unknown as StatefulService, { folder, part }).then(
    () => 'taken',
    ({ message }: Error) => message.replaceAll(folder, '~').split('\n')[0] ?? '',
  )
}

test.each([
  ['silences', JSON.stringify([SILENCE]), /^taken$/],
  ['no JSON', '[{', /^~\/silences.json: cannot be brought back: Expected/],
  ['no list', '{}', /^~\/silences.json: cannot be brought back: .* expected array/],
  [
    'a silence without an end',
    JSON.stringify([{ ...SILENCE, endsAt: 7 }]),
    /expected string, received number → at \[0\].endsAt/,
  ],
])('a file of %s is read before any machine is touched', async (_, text, said) => {
  writeFileSync(join(folder, 'silences.json'), text)
  expect(await checked()).toMatch(said)
})
test('a file that no service has said is not read at all', async () => {
  writeFileSync(join(folder, 'silences.json'), '')
  truncateSync(join(folder, 'silences.json'), 2 ** 40)
  expect(await checked()).toBe('~/silences.json: cannot be brought back: it is 1099511627776 bytes long')
})
