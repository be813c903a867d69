import { expect, test } from 'vitest'
import { compare, why } from '../../../lib/engine/compare.ts'
import type { Kind, State, Task } from '../../../lib/model.ts'

const kind: Kind = {
  name: 'thing',
  summary: 'A thing.',
  probe: () => '',
  parse: () => new Map(),
  converge: () => [],
}
const task = (desired: Partial<State> | null, more: Partial<Kind> = {}): Task => ({
  kind: { ...kind, ...more },
  key: 'x',
  desired,
  data: null,
})

test.each([
  ['as it must be', { mode: '0644' }, { mode: '0644' }, null],
  ['missing', { mode: '0644', owner: 'root' }, null, { fields: ['mode', 'owner'], why: 'is missing' }],
  ['missing, and nothing particular is wanted of it', {}, null, null],
  ['absent, as it must be', null, null, null],
  ['there, and must not be', null, { mode: '0644' }, { fields: [], why: 'must not be there' }],
  [
    'different in one field',
    { mode: '0644', owner: 'root' },
    { mode: '0600', owner: 'root' },
    { fields: ['mode'], why: 'mode: 0600 → 0644' },
  ],
  [
    'different in several fields',
    { mode: '0644', owner: 'root' },
    { mode: '0600', owner: 'ann' },
    { fields: ['mode', 'owner'], why: 'mode: 0600 → 0644, owner: ann → root' },
  ],
  ['different in a field that nobody wants', { mode: '0644' }, { mode: '0644', size: '7' }, null],
  ['different in a field left open', { mode: '0644', owner: undefined }, { mode: '0644', owner: 'ann' }, null],
  ['unknown in a field', { mode: '0644' }, { owner: 'ann' }, { fields: ['mode'], why: 'mode: unknown → 0644' }],
] as const)('a thing that is %s', (_, desired, from, expected) => {
  const change = compare(task(desired as Partial<State> | null), from as State | null)
  expect(change && { fields: change.fields, why: why(change) }).toEqual(expected)
  expect(change && [change.from, change.to]).toEqual(expected && [from, desired])
})

test('a kind may say in its own words why a change is needed', () => {
  const change = compare(task({ mode: '0644' }, { explain: ({ fields }) => `wrong ${fields.join()}` }), null)
  expect(change && why(change)).toBe('wrong mode')
  const silent = compare(task({ mode: '0644' }, { explain: () => '' }), null)
  expect(silent && why(silent)).toBe('is missing')
})
