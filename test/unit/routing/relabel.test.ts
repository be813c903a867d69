import { expect, test } from 'vitest'
import { RegexError } from '../../../lib/routing/regex/regex-error.ts'
import { type RelabelStep, relabel } from '../../../lib/routing/relabel.ts'

const labels = { alertname: 'A', replica: 'prom-1', cluster: 'eu' }

test.each<readonly [string, RelabelStep, object | null]>([
  ['drops labels by name', { action: 'labeldrop', regex: 'rep.*' }, { alertname: 'A', cluster: 'eu' }],
  ['keeps labels by name', { action: 'labelkeep', regex: 'alertname' }, { alertname: 'A' }],
  ['matches whole names only', { action: 'labeldrop', regex: 'rep' }, labels],
  ['copies a label', { source_labels: ['replica'], target_label: 'from' }, { ...labels, from: 'prom-1' }],
  [
    'puts groups of the match in place',
    { source_labels: ['cluster', 'replica'], regex: '(.+);prom-(\\d)', target_label: 'from', replacement: '${2}.$1' },
    { ...labels, from: '1.eu' },
  ],
  [
    'removes a label that becomes empty',
    { target_label: 'replica', replacement: '' },
    { alertname: 'A', cluster: 'eu' },
  ],
  [
    'leaves labels where the pattern does not match',
    { source_labels: ['cluster'], regex: 'us', target_label: 'x' },
    labels,
  ],
  ['renames by pattern', { action: 'labelmap', regex: 'clu(.*)', replacement: 'x$1' }, { ...labels, xster: 'eu' }],
  ['drops the alert', { action: 'drop', source_labels: ['cluster'], regex: 'eu' }, null],
  ['keeps the alert', { action: 'keep', source_labels: ['cluster'], regex: 'eu' }, labels],
  ['drops where equal', { action: 'dropequal', source_labels: ['cluster'], target_label: 'cluster' }, null],
  [
    'lowers',
    { action: 'lowercase', source_labels: ['alertname'], target_label: 'alertname' },
    { ...labels, alertname: 'a' },
  ],
  [
    'fills $name in as it does ${name}, and $$ is a dollar',
    {
      source_labels: ['cluster'],
      regex: '(?P<where>.+)',
      target_label: 'to',
      replacement: '$where ${where} $1 $$ $no',
    },
    { ...labels, to: 'eu eu eu $ ' },
  ],
  [
    'a name goes as far as it can: $1x is no group',
    { source_labels: ['cluster'], target_label: 'to', replacement: 'a$1x' },
    { ...labels, to: 'a' },
  ],
  ['reads what YAML made a number', { action: 'labeldrop', regex: 42 }, labels],
  [
    'ignores case where the pattern says so',
    { action: 'labeldrop', regex: '(?i)REP.*' },
    { alertname: 'A', cluster: 'eu' },
  ],
])('%s', (_, step, after) => {
  expect(relabel(labels, [step], true)).toEqual(after)
})

test('a dot is a line end from Prometheus 3.0 on', () => {
  const step = { source_labels: ['text'], regex: 'a.b', target_label: 'found', replacement: 'yes' }
  expect(relabel({ text: 'a\nb' }, [step], true)).toEqual({ text: 'a\nb', found: 'yes' })
  expect(relabel({ text: 'a\nb' }, [step], false)).toEqual({ text: 'a\nb' })
})

test.each<readonly [string, RelabelStep]>([
  ['a pattern that is none', { action: 'labeldrop', regex: '(?i)rep(' }],
  ['a modulus of 0', { action: 'hashmod', modulus: 0, source_labels: ['cluster'], target_label: 'shard' }],
])('%s is an error, never passed over', (_, step) => {
  expect(() => relabel(labels, [step], true)).toThrow(RegexError)
})
