import { expect, test } from 'vitest'
import { type RelabelStep, relabelled } from '../../../../roles/ha/relabel.ts'

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
  ['leaves labels where JavaScript cannot read the pattern', { action: 'labeldrop', regex: '(?i)rep(' }, labels],
])('%s', (_, step, after) => {
  expect(relabelled(labels, [step])).toEqual(after)
})
