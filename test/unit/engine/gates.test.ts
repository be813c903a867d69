import { expect, test } from 'vitest'
import type { RunEvent } from '../../../lib/engine/events.ts'
import { askGates } from '../../../lib/engine/gates.ts'
import type { Gate, Verdict } from '../../../lib/model.ts'

const gate = (verdicts: readonly (Verdict | Error)[], within: Gate['within'] = '10s'): Gate => {
  const left = [...verdicts]
  return {
    name: 'serves',
    host: 'a',
    within,
    ask: async () => {
      const next = left.length > 1 ? left.shift() : left[0]
      if (next instanceof Error) throw next
      return next ?? { pass: true }
    },
  }
}
const asked = async (one: Gate) => {
  const events: Omit<RunEvent, 'at'>[] = []
  const [report] = await askGates([one], {
    play: 'p',
    reach: () => Promise.reject(new Error('no machine')),
    emit: (event) => events.push(event),
  })
  return { report, events }
}

test('a gate that says yes at first is asked once', async () => {
  const { report, events } = await asked(gate([{ pass: true }]))
  expect(report).toMatchObject({ pass: true, play: 'p', host: 'a' })
  expect(events).toHaveLength(1)
})

test('a gate is asked again until it says yes', async () => {
  const { report, events } = await asked(
    gate([{ pass: false, why: 'not yet' }, new Error('link lost'), { pass: true }]),
  )
  expect(report?.pass).toBe(true)
  expect(events).toHaveLength(3)
})

test('a final no ends the asking at once', async () => {
  const { report, events } = await asked(gate([{ pass: false, why: 'never', final: true }, { pass: true }], '1h'))
  expect(report).toMatchObject({ pass: false, why: 'never' })
  expect(events).toHaveLength(1)
})

test('when time is up the last reason is told', async () => {
  expect((await asked(gate([new Error('nothing listens')], '1ms'))).report).toMatchObject({
    pass: false,
    why: 'nothing listens',
  })
})

test('progress keeps a gate open beyond its time', async () => {
  const moving = ['1', '2', '3'].map((progress): Verdict => ({ pass: false, why: 'replaying', progress }))
  expect((await asked(gate([...moving, { pass: true }], '400ms'))).report?.pass).toBe(true)
})
