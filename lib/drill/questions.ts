import { setTimeout as sleep } from 'node:timers/promises'
import { milliseconds, showMilliseconds } from '../duration.ts'
import type { Answered, Reach } from '../model.ts'
import type { Question } from './scenario.ts'

/** Questions that are asked while things are broken. */
export interface Asking extends AsyncDisposable {
  /** How each was answered so far. */
  answered(): readonly Answered[]
}
const EVERY_MS = 1_000
/** An answer that takes longer is none. */
const ANSWER_MS = 10_000

/** Asks each of these every second, whether the one before is answered or not, until it is disposed. */
export const askThroughout = (questions: readonly Question[], reach: Reach): Asking => {
  const over = new AbortController()
  const all = questions.map((question) => {
    const story = { asked: 0, failed: 0, lastAt: Date.now(), longestMs: 0 }
    const one = async (): Promise<void> => {
      story.asked += 1
      const answer = await Promise.race([
        question.ask(reach).then(
          () => true,
          () => false,
        ),
        sleep(ANSWER_MS, false, { ref: false }),
      ])
      if (over.signal.aborted) return
      if (!answer) story.failed += 1
      else {
        story.longestMs = Math.max(story.longestMs, Date.now() - story.lastAt)
        story.lastAt = Date.now()
      }
    }
    void (async () => {
      while (!over.signal.aborted) {
        void one()
        await sleep(EVERY_MS, undefined, { signal: over.signal }).catch(() => undefined)
      }
    })()
    return { question, story }
  })
  return {
    answered: () =>
      all.map(({ question: { name }, story: { asked, failed, lastAt, longestMs } }) => ({
        question: name,
        asked,
        failed,
        longestMs: Math.max(longestMs, Date.now() - lastAt),
      })),
    async [Symbol.asyncDispose]() {
      over.abort()
    },
  }
}

/** Which of these were not answered for longer than they may be, in words. Pure. */
export const unanswered = (questions: readonly Question[], answered: readonly Answered[]): readonly string[] =>
  questions.flatMap(({ name, most }) => {
    const found = answered.find(({ question }) => question === name)
    if (!found || found.longestMs <= milliseconds(most)) return []
    return [
      `${name}: no answer for ${showMilliseconds(found.longestMs)}, where ${most} is the most; ${found.failed} of ${found.asked} failed`,
    ]
  })
