import fc from 'fast-check'
import { expect, test } from 'vitest'
import { batchesOf } from '../../../lib/engine/batches.ts'
import type { Host } from '../../../lib/model.ts'

const host = (name: string): Host => ({ name }) as Host
const names = (batches: readonly (readonly Host[])[]): string[][] =>
  batches.map((batch) => batch.map(({ name }) => name))
const shard = ({ name }: Host): string => name.slice(0, 1)

test('without a size, all go at once', () => {
  expect(names(batchesOf([host('a1'), host('b1')], { of: 2 }, (one) => one))).toEqual([['a1', 'b1']])
})

test('replicas of a shard are never in one batch', () => {
  const hosts = ['a1', 'a2', 'b1', 'b2'].map(host)
  expect(names(batchesOf(hosts, { of: 4, apart: shard }, (one) => one))).toEqual([
    ['a1', 'b1'],
    ['a2', 'b2'],
  ])
})

test('a percentage is of the play, rounded down, and never nobody', () => {
  const hosts = ['a1', 'b1', 'c1', 'd1', 'e1'].map(host)
  expect(names(batchesOf(hosts, { of: 10, batch: '25%' }, (one) => one)).map(({ length }) => length)).toEqual([2, 2, 1])
  expect(names(batchesOf(hosts, { of: 3, batch: '25%' }, (one) => one)).map(({ length }) => length)).toEqual([
    1, 1, 1, 1, 1,
  ])
})

test('every host is in exactly one batch, none is too large, none holds two that must be apart', () => {
  const inputs = fc.tuple(fc.uniqueArray(fc.stringMatching(/^[a-d][0-9]{1,2}$/)), fc.integer({ min: 1, max: 5 }))
  fc.assert(
    fc.property(inputs, ([all, batch]) => {
      const batches = names(batchesOf(all.map(host), { of: all.length, batch, apart: shard }, (one) => one))
      expect(batches.flat().sort()).toEqual([...all].sort())
      for (const one of batches) {
        expect(one.length).toBeLessThanOrEqual(batch)
        expect(new Set(one.map((name) => name[0])).size).toBe(one.length)
      }
    }),
  )
})
