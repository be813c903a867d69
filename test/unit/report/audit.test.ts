import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { emitter, type RunEvent } from '../../../lib/engine/events.ts'
import type { RunReport } from '../../../lib/model.ts'
import { auditEntry, auditRows } from '../../../lib/report/audit.ts'
import { runFolder, runName } from '../../../lib/report/folder.ts'

beforeEach(() => {
  process.env.VESTAL_RUNS = mkdtempSync(join(tmpdir(), 'vestal-runs-'))
})
afterEach(() => rmSync(process.env.VESTAL_RUNS ?? '', { recursive: true }))

const report = {
  vestal: 'report/1',
  run: 'r1',
  playbook: 'deploy',
  inventory: 'ha',
  startedAt: '',
  ms: 1,
  interrupted: false,
  hosts: { a: { t: { status: 'changed', ms: 1 } } },
  gates: [],
  cost: {},
} satisfies RunReport
const redact = (text: string): string => text.replaceAll('hunter2', '[secret]')
const never = (error: Error): never => {
  throw error
}
const at = '2026-01-01T00:00:00.000Z'
const started = { at, event: 'run-started', run: 'r1', playbook: 'deploy', inventory: 'ha', hosts: ['a'] } as const
const write = (run: string) => {
  const { keep } = runFolder(run, { owner: 'ann@desk', command: ['deploy'] }, { redact, failed: never })
  const emit = emitter(redact, keep)
  return (event: RunEvent): void => emit(event)
}

test('a run is listed with who, what and how it ended', () => {
  const keep = write('r1')
  keep(started)
  keep({ at, event: 'run-ended', report })
  expect(auditRows()).toEqual([
    { run: 'r1', owner: 'ann@desk', playbook: 'deploy', inventory: 'ha', startedAt: at, result: 'done', changed: 1 },
  ])
  expect(auditEntry('r1').report).toEqual(report)
})

test('a run that was killed says that it ended unexpectedly', () => {
  const keep = write('r2')
  keep(started)
  keep({ at, event: 'batch-started', play: 'p', hosts: ['a'], interrupts: false })
  expect(auditRows()[0]).toMatchObject({ result: 'ended unexpectedly', changed: 0 })
})

test('nothing secret is kept, and only its owner can read the folder', () => {
  write('r3')({ at, event: 'host-failed', host: 'a', task: 't', why: 'bad password hunter2' })
  const folder = join(process.env.VESTAL_RUNS ?? '', 'r3')
  expect(
    readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join(),
  ).not.toContain('hunter2')
  expect(statSync(folder).mode & 0o077).toBe(0)
})

test('a run that is not there is the operator’s mistake', () => {
  expect(() => auditEntry('../etc')).toThrow('there is no run')
})

test('a run’s name sorts by time', () => {
  expect(runName('deploy', new Date('2026-11-22T16:22:33Z'), 0.5)).toBe('20261122-162233-deploy-8000')
})
