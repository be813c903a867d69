/** Whole drills on machines in memory: in which order things are done, and that whatever goes wrong, what was begun is undone. */
import { beforeEach, describe, expect, test } from 'vitest'
import { type ChangeFault, killed } from '../../../lib/drill/fault.ts'
import { type DrillOptions, runDrill } from '../../../lib/drill/run.ts'
import type { Scenario } from '../../../lib/drill/scenario.ts'
import { HostError } from '../../../lib/errors.ts'
import type { AlertsReport, Connection, Gate, Host } from '../../../lib/model.ts'
import { hostWith } from '../connection/host.ts'

const machine = (name: string): Host => ({ ...hostWith({ via: 'local' }), name })
const [one, two, three] = [machine('am-1'), machine('am-2'), machine('am-3')]
const QUIET: AlertsReport = {
  sent: 9,
  delivered: 9,
  lost: 0,
  duplicated: 0,
  refired: 0,
  repeated: 0,
  resolvedEarly: 0,
  unresolved: 0,
  cutShort: 0,
  largestDelayMs: 0,
  longestBlackoutMs: 0,
  silenced: { sent: 1, notified: 0 },
  linksLost: 0,
  canaries: { lost: [], duplicated: [], refired: [], unresolved: [], silenced: [] },
}

/** What was done, in order: `arm am-1`, `begin`, … */
let story: string[]
/** What a machine answers to a kind of script; default: that it went well. */
let answers: Record<string, () => number>
let stop: AbortController
beforeEach(() => {
  story = []
  answers = {}
  stop = new AbortController()
})

const stageOf = (script: string): string => {
  if (script.includes('OnActiveSec')) return 'arm'
  if (script.includes('.change')) return script.startsWith('rm') ? 'forget' : 'note'
  return script.includes('its undo is not armed any more') ? 'harm' : 'heal'
}
const connectionTo = (host: Host): Connection =>
  ({
    host,
    async exec(script: string) {
      const what = `${stageOf(script)} ${host.name}`
      story.push(what)
      const code = answers[what]?.() ?? 0
      return { code, stdout: Buffer.from(''), stderr: code === 0 ? '' : 'no room' }
    },
  }) as unknown as Connection
const steady = (verdicts: readonly boolean[] = []): Gate => {
  let asked = 0
  return {
    name: 'serves',
    host: 'am-1',
    within: '1ms',
    async ask() {
      story.push('steady')
      return (verdicts[asked++] ?? true) ? { pass: true } : { pass: false, why: 'it does not', final: true }
    },
  }
}
const NOTHING = {
  prometheus: [],
  alertmanagers: [],
  shards: [],
  ring: [],
  queries: [],
  gateways: [],
  asked: [],
  textfiles: [],
}
const scenario = (lasts: Scenario['lasts'] = '50ms'): Scenario => ({
  name: 'x',
  summary: 'x',
  contract: 'x',
  lasts,
  faults: () => [],
  allowed: { duplicates: 'never', delay: '10s' },
})

const hold = async (more: Partial<DrillOptions> & { begins?: () => void; alerts?: AlertsReport } = {}) => {
  const { begins, alerts = QUIET, ...options } = more
  const found = await runDrill({
    run: 'r',
    scenario: scenario(),
    faults: [killed(one, 'am'), killed(two, 'am')],
    fleet: { ...NOTHING, settings: {} },
    steady: [steady()],
    watched: [],
    questions: [],
    change: async () => undefined,
    ledger: {
      async begin() {
        story.push('alerts')
        begins?.()
        return []
      },
      async end() {
        story.push('end')
        return { alerts, gates: [] }
      },
      [Symbol.asyncDispose]: async () => undefined,
    },
    events: () => [],
    lost: () => 0,
    peerWaitMs: 0,
    controlMs: 1,
    silences: async () => new Map(),
    diagnose: async () => ['what is known'],
    setReceiver: () => undefined,
    whereStuck: async () => ['stuck at am-3'],
    pool: {
      reach: async (host) => connectionTo(host),
      ask: async (host) => connectionTo(host),
      forget: () => undefined,
      cost: () => ({}),
      [Symbol.asyncDispose]: async () => undefined,
    },
    emit: () => undefined,
    stop: stop.signal,
    abandon: new AbortController().signal,
    ...options,
  })
  return found.drill
}
const undone = (drill: Awaited<ReturnType<typeof hold>>) => drill.faults.map((fault) => fault.undone)

test('all undos are armed before the first harm is done, and all is undone before the steady state is asked again', async () => {
  const drill = await hold()
  expect(story).toEqual([
    ...['steady', 'alerts', 'arm am-1', 'arm am-2', 'harm am-1', 'harm am-2', 'heal am-1', 'heal am-2'],
    ...['steady', 'end'],
  ])
  expect([drill.verdict, drill.causes, undone(drill)]).toEqual(['passed', [], [true, true]])
  expect(drill.faults.every(({ armedAt, beginAt, endAt }) => armedAt && beginAt && endAt)).toBe(true)
})

describe('drills that follow each other', () => {
  test('no fault is begun before the one before is over, and silences are looked at then', async () => {
    const before = Promise.withResolvers<void>()
    const silences = async () => {
      story.push('silences')
      return new Map()
    }
    const holding = hold({ until: before.promise, silences })
    await new Promise((done) => setTimeout(done, 200))
    expect(story).toEqual(['steady', 'alerts'])
    before.resolve()
    expect((await holding).verdict).toBe('passed')
    expect(story.slice(2, 4)).toEqual(['silences', 'arm am-1'])
  })

  test('where the one before broke off, no fault is begun at all', async () => {
    const before = Promise.reject(new Error('no room'))
    before.catch(() => undefined)
    await expect(hold({ until: before })).rejects.toThrow('no room')
    expect(story).toEqual(['steady', 'alerts'])
  })

  test('an interrupt does not wait for the one before', async () => {
    setTimeout(() => stop.abort(), 100)
    expect((await hold({ until: new Promise(() => undefined) })).verdict).toBe('interrupted')
    expect(story).toEqual(['steady', 'alerts'])
  })

  test('the next may be made ready once all is as it was, and not where something went wrong', async () => {
    const healed = () => void story.push('healed')
    await hold({ healed })
    expect(story.slice(-4)).toEqual(['heal am-2', 'steady', 'healed', 'end'])
    story = []
    await hold({ healed, steady: [steady([true, false])] })
    answers['harm am-2'] = () => 1
    await hold({ healed })
    expect(story).not.toContain('healed')
  })
})

describe('nothing is harmed', () => {
  test('where the steady state is not there before', async () => {
    const drill = await hold({ steady: [steady([false])] })
    expect(story).toEqual(['steady'])
    expect(drill).toMatchObject({ verdict: 'failed', faults: [{ undone: true }, { undone: true }] })
    expect(drill.causes).toEqual(['before anything was done, am-1: serves: it does not', 'what is known'])
  })

  test('where no alert arrives; and it is said where they stop', async () => {
    const drill = await hold({
      begins: () => {
        throw new HostError('canaries', 'no canary alert came back')
      },
    })
    expect(story).toEqual(['steady', 'alerts'])
    expect(drill.causes.slice(0, 2)).toEqual([
      'before anything was done, canaries: no canary alert came back',
      'stuck at am-3',
    ])
  })

  test('where one machine of two does not arm its undo; the other is disarmed', async () => {
    answers['arm am-2'] = () => 1
    const drill = await hold()
    expect(story.filter((what) => what.startsWith('harm'))).toEqual([])
    expect(story).toContain('heal am-1')
    expect([drill.verdict, drill.causes[0], undone(drill)]).toEqual(['aborted', 'am-2: no room', [true, true]])
  })
})

describe('what was begun is undone', () => {
  test('where harm fails half way', async () => {
    answers['harm am-2'] = () => 1
    const drill = await hold()
    expect(story.filter((what) => what.startsWith('heal'))).toEqual(['heal am-1', 'heal am-2'])
    expect([drill.verdict, drill.causes[0]]).toEqual([
      'aborted',
      expect.stringContaining('it could not be done: am-2: no room'),
    ])
  })

  test('at once where it is interrupted', async () => {
    setTimeout(() => stop.abort(), 100)
    const startedAt = Date.now()
    const drill = await hold({ scenario: scenario('1m') })
    expect(Date.now() - startedAt).toBeLessThan(10_000)
    expect([drill.verdict, undone(drill)]).toEqual(['interrupted', [true, true]])
    expect(story).not.toContain('end')
  })

  test('at once where an alert is lost meanwhile, and it is said where they stop', async () => {
    let lost = 0
    setTimeout(() => {
      lost = 1
    }, 100)
    const drill = await hold({ scenario: scenario('1m'), lost: () => lost })
    expect([drill.verdict, drill.causes, undone(drill)]).toEqual([
      'failed',
      ['stuck at am-3', 'what is known'],
      [true, true],
    ])
  })

  test('at once where a service that is no part of it stops serving; one that is may', async () => {
    const looked = (host: Host) => ({
      host,
      service: 'x',
      unit: 'am',
      title: 'X',
      status: async () => ({ ready: !story.includes('harm am-1') }),
    })
    const drill = await hold({ scenario: scenario('1m'), watched: [looked(one), looked(three)], leftMs: 10 })
    expect([drill.verdict, undone(drill)]).toEqual(['aborted', [true, true]])
    expect(drill.causes[0]).toMatch(/^X of am-3, which is not part of the drill, stopped serving/)
    expect(drill.steady.map(({ host, serves }) => `${host} ${serves}`).sort()).toEqual(
      ['am-1 true', 'am-1 false', 'am-3 true', 'am-3 false'].sort(),
    )
  })
})

test('where alerts stop is asked while the faults last, and said where one turns out to be lost afterwards', async () => {
  const whereStuck = async () => {
    story.push('where')
    return ['stuck at am-3']
  }
  const lost = { ...QUIET, lost: 1, canaries: { ...QUIET.canaries, lost: ['c0003'] } }
  const drill = await hold({ whereStuck, alerts: lost })
  expect(drill.causes).toEqual(['stuck at am-3', '1 alert lost, though a path was left: c0003', 'what is known'])
  expect(story.indexOf('where')).toBeLessThan(story.indexOf('heal am-1'))
  expect((await hold({ whereStuck })).causes).toEqual([])
})

test('silences that a member no longer knows are a failure', async () => {
  let asked = 0
  const silences = async () => new Map([['am-1', { alive: ['s1'], known: asked++ === 0 ? ['s1'] : [] }]])
  const drill = await hold({ silences })
  expect([drill.verdict, drill.causes[0]]).toEqual(['failed', 'am-1 has lost silences that were in force before: s1'])
})

test('a steady state that is not there afterwards is a failure', async () => {
  const drill = await hold({ steady: [steady([true, false])] })
  expect([drill.verdict, drill.causes[0], drill.figures.healedMs]).toEqual([
    'failed',
    '2m after the faults, am-1: serves: it does not',
    undefined,
  ])
})

describe('a change that an operator would make', () => {
  const change: ChangeFault = {
    kind: 'change',
    name: 'am-3 leaves',
    host: three,
    commands: [['remove-node', 'am-3']],
    undo: [['add-node', 'am-3']],
    touches: [one, three],
  }

  test('is made and taken back by runs of its own, beside other faults', async () => {
    const drill = await hold({
      faults: [killed(one, 'am'), change],
      change: async (_, to) => void story.push(`change ${to}`),
    })
    expect(story).toEqual([
      ...['steady', 'alerts', 'arm am-1', 'note am-1', 'note am-3', 'change harm', 'harm am-1'],
      ...['change undo', 'heal am-1', 'forget am-1', 'forget am-3', 'steady', 'end'],
    ])
    expect([drill.verdict, undone(drill)]).toEqual(['passed', [true, true]])
  })

  test('that fails is taken back, and the drill aborted', async () => {
    const drill = await hold({
      faults: [change],
      change: async (_, to) => {
        story.push(`change ${to}`)
        if (to === 'harm') throw new HostError('am-3', 'remove-node ended with 1')
      },
    })
    expect(story.filter((what) => what.startsWith('change'))).toEqual(['change harm', 'change undo'])
    expect(story).toContain('forget am-3')
    expect([drill.verdict, drill.causes[0]]).toEqual([
      'aborted',
      'am-3 leaves: it could not be done: am-3: remove-node ended with 1',
    ])
  })

  test('that cannot be taken back stays known to its machines', async () => {
    const drill = await hold({
      faults: [change],
      change: async (_, to) => {
        if (to === 'undo') throw new HostError('am-3', 'add-node ended with 1')
      },
    })
    expect(story.filter((what) => /^(note|forget)/.test(what))).toEqual(['note am-1', 'note am-3'])
    expect([drill.verdict, drill.causes[0]]).toEqual(['failed', expect.stringContaining('add-node ended with 1')])
  })

  test('is not taken back where it was never begun, and services that it touches may stop meanwhile', async () => {
    answers['arm am-1'] = () => 1
    await hold({ faults: [killed(one, 'am'), change], change: async (_, to) => void story.push(`change ${to}`) })
    expect(story.filter((what) => what.startsWith('change'))).toEqual([])
    answers = {}
    const looked = (host: Host) => ({
      ...{ host, service: 'x', unit: 'am', title: 'X' },
      status: async () => ({ ready: !story.includes('change harm') }),
    })
    const drill = await hold({
      faults: [change],
      scenario: scenario('3s'),
      change: async (_, to) => void story.push(`change ${to}`),
      watched: [looked(one), looked(three)],
      leftMs: 10,
    })
    expect(drill.verdict).toBe('passed')
  })
})

test('a question that is not answered is a failure, and how all were is told', async () => {
  const questions = [{ name: 'Q', most: '10ms' as const, ask: () => Promise.reject(new Error('no')) }]
  const drill = await hold({ questions, controlMs: 100 })
  expect([drill.verdict, drill.causes[0]]).toEqual(['failed', expect.stringMatching(/^Q: no answer for \d+ ms/)])
  expect(drill.figures.answered).toMatchObject([{ question: 'Q', failed: 1 }])
})

test('when faults begin and end is told at once: what had no path is counted apart by it', async () => {
  const windows: object[] = []
  await hold({ broken: (window) => void windows.push(Object.keys(window)) })
  expect(windows).toEqual([['beginAt'], ['beginAt', 'endAt']])
})
