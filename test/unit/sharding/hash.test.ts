import { expect, test } from 'vitest'
import { relabel } from '../../../lib/routing/relabel.ts'
import { bucketOf, hashedText, hashmod } from '../../../lib/sharding/hash.ts'

// The cases of Prometheus' own model/relabel/relabel_test.go.
test.each([
  ['baz', 1_000, 976],
  ['foo\nbar', 1_000, 734],
])('%j modulo %d is %d, as upstream’s own test has it', (text, modulus, bucket) => {
  expect(hashmod(text, modulus)).toBe(bucket)
})

test('values are joined by ; and a missing one is nothing', () => {
  expect(hashedText({ a: 'x', c: 'ÿ' }, ['a', 'b', 'c'])).toBe('x;;ÿ')
})

test('a target’s own __tmp_hash goes before the chosen labels, and __tmp_disable_sharding has no bucket', () => {
  const labels = { __address__: '10.0.0.1:9100', job: 'node' }
  expect(bucketOf(labels, ['__address__'], 1_024)).toBe(hashmod('10.0.0.1:9100', 1_024))
  expect(bucketOf({ ...labels, __tmp_hash: 'mine' }, ['__address__'], 1_024)).toBe(hashmod('mine', 1_024))
  expect(bucketOf({ ...labels, __tmp_hash: '' }, ['__address__'], 1_024)).toBe(hashmod('10.0.0.1:9100', 1_024))
  expect(bucketOf({ ...labels, __tmp_disable_sharding: 'yes' }, ['__address__'], 1_024)).toBeNull()
})

test('it is the bucket that relabelling itself gives', () => {
  const labels = { a: 'é', b: '漢字' }
  const step = { action: 'hashmod', source_labels: ['a', 'none', 'b'], target_label: 'to', modulus: 1_024 }
  expect(relabel(labels, [step], true)?.to).toBe(String(bucketOf(labels, ['a', 'none', 'b'], 1_024)))
})
