import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { emitter } from '../../../lib/engine/events.ts'
import { HostError } from '../../../lib/errors.ts'
import type { Inventory } from '../../../lib/model.ts'
import { auditEntry, auditRows } from '../../../lib/report/audit.ts'
import { runFolder } from '../../../lib/report/folder.ts'
import { redactor } from '../../../lib/report/redact.ts'
import { Secret } from '../../../lib/secret.ts'

let runs = ''
beforeEach(() => {
  runs = mkdtempSync(join(tmpdir(), 'vestal-runs-'))
  vi.stubEnv('VESTAL_RUNS', runs)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(runs, { recursive: true })
})
const never = (error: HostError): never => {
  throw error
}
const about = { owner: 'ann@desk', command: ['deploy'] }

test('secrets that are words of JSON leave the run’s folder readable', () => {
  const secrets = ['4711', 'true', 'event', 'changed', 'null'].map((one) => new Secret(one))
  const redact = redactor({ hosts: [{ vars: { secrets }, link: {} }] } as unknown as Inventory)
  const { keep } = runFolder('r1', about, { redact, failed: never })
  const emit = emitter(redact, keep)
  const report = {
    vestal: 'report/1' as const,
    run: 'r1',
    playbook: 'deploy',
    inventory: 'x',
    startedAt: '2026-01-01T00:00:00Z',
    ms: 4711,
    interrupted: true,
    hosts: { a: { 'file /x': { status: 'changed' as const, ms: 4711 } } },
    gates: [{ name: 'g', host: 'a', play: 'p', pass: true, why: 'said 4711 and true', ms: 4711 }],
    cost: {},
  }
  emit({ event: 'kept', host: 'a', name: 'silences.json', text: '[{"comment":"4711","n":4711,"on":true}]' })
  emit({ event: 'run-ended', report })
  const entry = auditEntry('r1')
  expect(entry.report).toEqual({ ...report, gates: [{ ...report.gates[0], why: 'said [secret] and [secret]' }] })
  expect(entry).toMatchObject({ result: 'interrupted', changed: 1 })
  expect(entry.events.map(({ event }) => event)).toEqual(['kept', 'run-ended'])
  expect(JSON.parse(readFileSync(join(runs, 'r1/kept/a/silences.json'), 'utf8'))).toEqual([
    { comment: '[secret]', n: 4711, on: true },
  ])
})

test('events are lines of JSON whatever is secret, as a program and a person hear them', () => {
  const heard: string[] = []
  const redact = redactor({
    hosts: [{ vars: { s: ['4711', 'true', 'step', 'p4ss\nw0rd'].map((one) => new Secret(one)) }, link: {} }],
  } as unknown as Inventory)
  const emit = emitter(redact, (event) => heard.push(JSON.stringify(event)))
  emit({ event: 'step', host: 'a', task: 't', title: '4711', state: 'failed', output: 'p4ss: true, w0rd' })
  emit({ event: 'upload', host: 'a', title: 't', sent: 4711, of: 4711 })
  expect(heard.map((line) => JSON.parse(line))).toMatchObject([
    { event: 'step', title: '[secret]', state: 'failed', output: '[secret]: [secret], [secret]' },
    { event: 'upload', sent: 4711, of: 4711 },
  ])
})

test('a folder that cannot be written is told once, as an error of this machine, and the run goes on', () => {
  writeFileSync(join(runs, 'r2'), 'in the way')
  const told: HostError[] = []
  const { keep, note } = runFolder('r2', about, { redact: String, failed: (error) => told.push(error) })
  const emit = emitter(String, keep)
  note({ what: 'sent' })
  for (const name of ['a', 'b']) emit({ event: 'batch-started', play: 'p', hosts: [name], interrupts: false })
  expect(told).toHaveLength(1)
  expect(told[0]).toBeInstanceOf(HostError)
  expect(told[0]?.message).toContain(`the run cannot be written down in ${join(runs, 'r2')}: `)
})

test('runs that cannot be read, or were cut off by a full disk, are listed beside those that can', () => {
  runFolder('r1', about, { redact: String, failed: never })
  mkdirSync(join(runs, 'r2', 'run.json'), { recursive: true })
  mkdirSync(join(runs, 'r3'))
  writeFileSync(join(runs, 'r3', 'report.json'), '{"vestal":')
  writeFileSync(join(runs, 'r3', 'events.ndjson'), '{"event":"run-started","playbook":"deploy"}\n{"eve{"event":"x"}\n')
  expect(auditRows().map(({ run, playbook, result }) => [run, playbook, result.slice(0, 15)])).toEqual([
    ['r1', '', 'planned'],
    ['r2', '', 'cannot be read:'],
    ['r3', 'deploy', 'planned'],
  ])
})
