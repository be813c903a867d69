import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { askThroughout, unanswered } from '../../../lib/drill/questions.ts'
import type { Question } from '../../../lib/drill/scenario.ts'

const reach = (): never => {
  throw new Error('no host is asked here')
}
const question = (name: string, answers: (at: number) => Promise<void>): Question => {
  let at = 0
  return { name, most: '2s', ask: () => answers(at++) }
}

test('the longest time without an answer is told of each question, that of one which is never answered too', async () => {
  const questions = [
    question('always', async () => undefined),
    question('for a time', async (at) => {
      if (at > 0) throw new Error('no')
    }),
    question('hangs', () => new Promise(() => undefined)),
  ]
  await using asking = askThroughout(questions, reach)
  await sleep(3_300)
  const answered = asking.answered()
  expect(answered.map(({ question: name, failed }) => [name, failed])).toEqual([
    ['always', 0],
    ['for a time', 3],
    ['hangs', 0],
  ])
  const [always = 0, once = 0, never = 0] = answered.map(({ longestMs }) => longestMs)
  expect(always).toBeLessThan(1_900)
  expect(Math.min(once, never)).toBeGreaterThan(2_900)
  expect(unanswered(questions, answered).map((text) => text.split(':')[0])).toEqual(['for a time', 'hangs'])
})

test('what is within its bound is nothing to tell', () => {
  const [one] = [question('x', async () => undefined)]
  expect(unanswered([one], [{ question: 'x', asked: 9, failed: 4, longestMs: 2_000 }])).toEqual([])
  expect(unanswered([one], [{ question: 'x', asked: 9, failed: 4, longestMs: 2_001 }])).toEqual([
    'x: no answer for 2.0 s, where 2s is the most; 4 of 9 failed',
  ])
})
