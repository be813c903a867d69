import { expect, test } from 'vitest'
import { templateDoubts } from '../../../../lib/sharding/rules/templates.ts'

const doubts = (text: string) => templateDoubts({ text, where: 'r.yml:1:1' }, ['shard', 'replica'])

test.each([
  'plain query text',
  '{{ $labels.query }} and {{ .Labels.query }}',
  '{{ printf "query %s" $labels.job }} {{ `query` }}',
  '{{ $value | humanizePercentage }} of {{ $externalLabels.cluster }}',
  "{{ if eq $labels.a '}' }}it's{{ end }}",
])('%s is the same on all shards', (text) => {
  expect(doubts(text)).toEqual([])
})

test.each([
  ['{{ query "up" | first | value }}', 'query'],
  ['{{ with printf "up{a=\\"}}\\"}" | query }}{{ . }}{{ end }}', 'query'],
  ['{{- range query `up` -}}x{{ end }}', 'query'],
  ['{{ $externalLabels.shard }}', 'external labels'],
  ['{{ .ExternalLabels.replica }}', 'external labels'],
  ['{{ $externalLabels }}', 'external labels'],
  ['{{ "unclosed }}', 'cannot be read'],
])('%s may differ', (text, why) => {
  expect(doubts(text)).toEqual([expect.stringContaining(why)])
})

test('a long template that never ends is read at once', () => {
  const started = performance.now()
  expect(doubts(`{{ ${'"a"'.repeat(20_000)}`)).toEqual(['its template cannot be read'])
  expect(doubts(`{{ ${'"'.repeat(20_001)}`)).toEqual(['its template cannot be read'])
  expect(doubts(`{{ ${"'a'".repeat(20_000)}`)).toEqual(['its template cannot be read'])
  expect(performance.now() - started).toBeLessThan(2_000)
})
