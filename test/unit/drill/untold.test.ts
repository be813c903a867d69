import { expect, test } from 'vitest'
import { untoldInARing } from '../../../playbooks/drills/untold-in-a-ring.ts'

test.each([
  [0, 1.2],
  [0.8, 1.92],
  [30, 20.13],
  [600, 144],
])('an instance that was away for %s s is told nothing for at most %s s', (awayS, untoldS) => {
  expect(untoldInARing(awayS * 1_000) / 1_000).toBeCloseTo(untoldS, 2)
})

test('never shorter than any wait that gRPC may be in when the instance is back', () => {
  // Its own rule (internal/backoff, `Exponential.Backoff`), with chance played through.
  const wait = (tries: number): number =>
    tries === 0 ? 1_000 : Math.min(1_000 * 1.6 ** tries, 120_000) * (0.8 + 0.4 * Math.random())
  for (let round = 0; round < 2_000; round++) {
    const awayMs = Math.random() * 900_000
    let [at, tries] = [0, 0]
    while (at <= awayMs) at += wait(tries++)
    expect(at - awayMs).toBeLessThanOrEqual(untoldInARing(awayMs))
  }
})
