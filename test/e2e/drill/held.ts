/** A drill held on any fleet, and what must be so of every one of them. */
import { expect } from 'vitest'
import type { DrillReport, RunReport } from '../../../lib/model.ts'
import { reportOf, vestal } from '../vestal.ts'

/** Holds it, and expects that nothing was lost and all is undone. Returns its report. */
export const held = async (
  inventory: string,
  name: string,
  ...flags: readonly string[]
): Promise<RunReport & { readonly drill: DrillReport }> => {
  const ended = await vestal(['drill', name, '-i', inventory, '--json', '--control', '10s', ...flags])
  const report = reportOf(ended)
  const { drill, alerts } = report
  if (!drill) throw new Error('the report says nothing of a drill')
  const { verdict, causes, faults, figures } = drill
  const asked = (figures.answered ?? []).map(({ question, longestMs }) => `${question}: ${longestMs} ms`)
  console.log(
    `${name}: ${verdict}, ${alerts?.sent} sent, ${alerts?.lost} lost, ${alerts?.withoutPath ?? 0} without a path, ${alerts?.duplicated} twice, latest ${figures.control.largestDelayMs} and ${figures.during.largestDelayMs} ms, healed ${figures.healedMs} ms; longest without an answer: ${asked.join(', ')}; ${causes.join('; ')}`,
  )
  expect({ verdict, causes }).toEqual({
    verdict: expect.stringMatching(/^(passed|deviated)$/),
    causes: expect.anything(),
  })
  expect(alerts).toMatchObject({ lost: 0, silenced: { notified: 0 } })
  expect(faults.every(({ undone, beginAt, endAt }) => undone && beginAt && endAt)).toBe(true)
  expect(ended.code).toBe(0)
  return { ...report, drill }
}
