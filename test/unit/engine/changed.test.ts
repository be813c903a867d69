import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Task, Upload } from '../../../lib/model.ts'
import { bookOf, type Fleet, fleet, playOf, roleOf } from './fleet.ts'
import { line, noLine } from './scratch.ts'
import { asItBegins, cutInHalf, lostAfter, lostBefore } from './small-machine.ts'

const deploy = (of: Fleet, tasks: readonly Task[], options?: Parameters<Fleet['run']>[1]) =>
  of.run(bookOf([playOf('p', [roleOf('web', tasks)])]), options)

describe('a change', () => {
  test('is made once: the next run finds it the same, and sends nothing but a reading', async () => {
    using of = fleet('a1')
    of.machine('a1').write('gone', 'x')
    const tasks = [line('x', 'new'), noLine('gone')]
    const { outcomes } = await deploy(of, tasks)
    expect(outcomes.a1).toEqual({ 'scratch x': 'changed', 'scratch gone': 'changed' })
    expect(of.machine('a1').text('gone')).toBeUndefined()
    of.story.length = 0
    const again = await deploy(of, tasks)
    expect([of.story, again.outcomes.a1, again.code]).toEqual([
      ['read a1'],
      { 'scratch x': 'same', 'scratch gone': 'same' },
      0,
    ])
  })

  test('of one task leaves what is right already alone', async () => {
    using of = fleet('a1')
    of.machine('a1').write('right', 'new')
    const { outcomes, events } = await deploy(of, [line('right', 'new', { fail: true }), line('x', 'new')])
    expect(outcomes.a1).toEqual({ 'scratch right': 'same', 'scratch x': 'changed' })
    expect(events.flatMap((event) => (event.event === 'step' ? [`${event.title}: ${event.state}`] : []))).toEqual([
      'write x: started',
      'write x: done',
    ])
  })

  test('that says it went well, and is not there when read back, is a failure', async () => {
    using of = fleet('a1')
    of.machine('a1').write('x', 'old')
    const { outcomes, code, events } = await deploy(of, [
      line('y', 'new'),
      line('z', 'new'),
      line('x', 'new', { lies: true }),
    ])
    expect(outcomes.a1).toEqual({
      'scratch y': 'changed',
      'scratch z': 'changed',
      'scratch x': 'failed: read back after the change: text: old → new',
    })
    expect(events.filter(({ event }) => /^host-(failed|done)/.test(event))).toMatchObject([
      { event: 'host-failed', host: 'a1', task: 'scratch x' },
      { event: 'host-done', host: 'a1', play: 'p', changed: 2 },
    ])
    expect(code).toBe(1)
  })

  test('is told as it happens, with what its step printed', async () => {
    using of = fleet('a1')
    const { events } = await deploy(of, [line('x', 'new'), line('bad', 'new', { fail: true })])
    expect(events.filter(({ event }) => event === 'step')).toMatchObject([
      { host: 'a1', task: 'scratch x', title: 'write x', state: 'started' },
      { task: 'scratch x', state: 'done' },
      { task: 'scratch bad', state: 'started' },
      { task: 'scratch bad', state: 'failed', output: 'no good' },
      { task: 'scratch x', state: 'taken back' },
      { task: 'scratch x', state: 'taken back' },
      { task: 'scratch bad', state: 'taken back' },
    ])
  })
})

describe('a step that fails', () => {
  test('ends its host’s work: what was before it is taken back, what comes after it is not tried', async () => {
    using of = fleet('a1')
    of.machine('a1').write('x', 'old')
    const { outcomes, report, code } = await deploy(of, [
      line('x', 'new'),
      line('bad', 'new', { fail: true }),
      line('y', 'new'),
    ])
    expect(outcomes.a1).toEqual({
      'scratch x': 'skipped: taken back after a later task failed',
      'scratch bad': 'failed: no good',
      'scratch y': 'skipped: an earlier task of this host failed',
    })
    expect(report?.hosts.a1?.['scratch bad']).toMatchObject({
      hint: 'The changes made before it on this host were taken back; what was in force still is.',
    })
    expect(['x', 'bad', 'y'].map(of.machine('a1').text)).toEqual(['old', undefined, undefined])
    expect(of.machine('a1').text('/var/lib/vestal/undo/run-1.1.sh')).toBeUndefined()
    expect(code).toBe(1)
  })

  test('after one that cannot be taken back says so of both', async () => {
    using of = fleet('a1')
    const { outcomes, report } = await deploy(of, [
      line('x', 'new', { undoFails: true }),
      line('bad', 'new', { fail: true }),
    ])
    expect(outcomes.a1).toEqual({
      'scratch x': 'failed: could not be taken back after a later task failed',
      'scratch bad': 'failed: no good',
    })
    expect(report?.hosts.a1?.['scratch bad']).toMatchObject({
      hint: 'Some changes made before it could not be taken back: see the run’s events.',
    })
  })

  test('without a word is told by its title and its code', async () => {
    using of = fleet('a1')
    const silent: Task = {
      ...line('x', 'new'),
      kind: { ...line('x', '').kind, converge: () => [{ title: 'go', run: 'exit 9' }] } as Task['kind'],
    }
    const { outcomes } = await deploy(of, [silent])
    expect(outcomes.a1).toEqual({ 'scratch x': 'failed: “go” ended with code 9' })
  })

  test('does not keep other hosts of its batch from ending theirs', async () => {
    using of = fleet('a1', 'a2')
    const role = roleOf('web', ({ name }) => [line('x', 'new', { fail: name === 'a1' })])
    const { outcomes } = await of.run(bookOf([playOf('p', [role])]), { forks: 1 })
    expect(outcomes.a2).toEqual({ 'scratch x': 'changed' })
  })
})

describe('a link that is lost', () => {
  test.each([
    ['before the script runs', lostBefore, undefined, 'the link was lost'],
    ['after the script has run', lostAfter, 'new', 'the link was lost'],
    ['while the answer comes', cutInHalf, 'new', 'the script ended before its end, in “write x”'],
  ])('%s is that host’s failure, with what to do, and no other’s', async (_, fate, left, why) => {
    using of = fleet('a1', 'a2')
    of.machine('a1').at('change', fate)
    const { code, outcomes, report, events } = await deploy(of, [line('x', 'new')])
    expect(outcomes).toEqual({
      a1: { 'scratch x': 'skipped: the host failed', apply: `failed: ${why}` },
      a2: { 'scratch x': 'changed' },
    })
    expect(report?.hosts.a1?.apply).toHaveProperty('hint', expect.stringMatching(/cable|Run again/))
    expect(events.filter(({ event }) => event === 'host-failed')).toMatchObject([{ host: 'a1', task: 'apply', why }])
    expect([of.machine('a1').text('x'), code]).toEqual([left, 1])
  })

  test('is made good by the next run', async () => {
    using of = fleet('a1')
    of.machine('a1').at('change', lostAfter)
    const tasks = [line('x', 'new')]
    await deploy(of, tasks)
    of.machine('a1').heal()
    expect((await deploy(of, tasks)).outcomes.a1).toEqual({ 'scratch x': 'same' })
  })

  test('with the script itself, killed in the middle of a step, names the step', async () => {
    using of = fleet('a1')
    const { outcomes } = await deploy(of, [line('x', 'new'), line('y', 'new', { kills: true })])
    expect(outcomes.a1?.apply).toBe('failed: the script ended before its end, in “write y”')
  })
})

describe('a host that is not as it was read', () => {
  test('because another run has changed it since, is not touched', async () => {
    using of = fleet('a1', 'a2')
    const machine = of.machine('a1')
    machine.at(
      'change',
      asItBegins(() => machine.write('/var/lib/vestal/last-run', 'run-of-bob\n')),
    )
    const { report, code } = await deploy(of, [line('x', 'new')])
    expect(report?.hosts.a1).toMatchObject({
      lock: {
        status: 'failed',
        why: 'changed by run run-of-bob after this run had read it; nothing was done',
        hint: 'Run again: the plan will start from what is there now.',
      },
      'scratch x': { status: 'skipped', because: 'the host failed' },
    })
    expect(report?.hosts.a2).toMatchObject({ 'scratch x': { status: 'changed' } })
    expect([machine.text('x'), code]).toEqual([undefined, 1])
  })

  test('because nothing can be written there, is not touched', async () => {
    using of = fleet('a1')
    of.machine('a1').write('/var/lib/vestal/.last-run/in-the-way', '')
    const { outcomes, code } = await deploy(of, [line('x', 'new')])
    expect(outcomes.a1?.lock).toBe('failed: nothing can be written below /var/lib/vestal; nothing was done')
    expect([of.machine('a1').text('x'), code]).toEqual([undefined, 1])
  })
})

describe('a large file', () => {
  const upload = (text: string, says = text.length): Upload => {
    const folder = mkdtempSync(join(tmpdir(), 'vestal-upload-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'file'), text)
    const sha256 = createHash('sha256').update(text).digest('hex')
    return { sha256, title: 'web-1.0.tar.gz', ready: async () => ({ path: join(folder, 'file'), bytes: says }) }
  }

  test('that two steps need is sent once, before any step runs, and is gone in the end', async () => {
    using of = fleet('a1')
    const one = upload('a large file')
    const { outcomes, events } = await deploy(of, [
      line('x', 'new', { upload: one }),
      line('y', 'new', { upload: { ...one } }),
    ])
    expect(of.story).toEqual(['read a1', 'upload a1', 'change a1'])
    expect(outcomes.a1).toEqual({ 'scratch x': 'changed', 'scratch y': 'changed' })
    expect(events.filter(({ event }) => event === 'upload')).toMatchObject([
      { host: 'a1', title: 'web-1.0.tar.gz', sent: 12, of: 12 },
    ])
    expect(of.machine('a1').text(`/var/lib/vestal/uploads/${one.sha256}`)).toBeUndefined()
  })

  test('that does not arrive whole is the host’s failure, and no step runs', async () => {
    using of = fleet('a1')
    const { report } = await deploy(of, [line('x', 'new', { upload: upload('a large file', 99) })])
    expect(of.story).toEqual(['read a1', 'upload a1'])
    expect(report?.hosts.a1?.['upload web-1.0.tar.gz']).toMatchObject({
      status: 'failed',
      why: 'web-1.0.tar.gz could not be stored: only 12 of 99 bytes arrived',
      hint: 'Look at the free space below /var/lib/vestal on the host.',
    })
  })
})
