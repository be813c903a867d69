import { expect, test } from 'vitest'
import type { Plan, RunReport } from '../../../lib/model.ts'
import { exitCodeOf } from '../../../lib/report/outcome.ts'
import { planText, reportText } from '../../../lib/report/text.ts'

const plan: Plan = {
  vestal: 'plan/1',
  playbook: 'deploy',
  inventory: 'ha',
  changes: 2,
  unreachable: { 'am-2': 'connection refused' },
  batches: [
    {
      play: 'Alertmanagers',
      interrupts: true,
      hosts: [
        {
          host: 'am-1',
          same: 20,
          changes: [
            {
              task: 'file /etc/alertmanager/alertmanager.yml',
              role: 'alertmanager',
              action: 'change',
              why: 'sha256: a → b',
              steps: ['write it'],
              interrupts: false,
              diff: '-old\n+new',
            },
            {
              task: 'service alertmanager',
              role: 'alertmanager',
              action: 'change',
              why: 'flags differ',
              steps: ['restart alertmanager'],
              interrupts: true,
            },
          ],
        },
      ],
    },
  ],
}
const report = (hosts: RunReport['hosts'], more: Partial<RunReport> = {}): RunReport => ({
  vestal: 'report/1',
  run: 'r',
  playbook: 'deploy',
  inventory: 'ha',
  startedAt: '',
  ms: 1500,
  interrupted: false,
  hosts,
  gates: [],
  cost: { 'am-1': { execs: 2, pushedBytes: 10 } },
  ...more,
})

test('a plan says what changes, why, what is interrupted, and who could not be asked', () => {
  expect(planText(plan)).toBe(`Alertmanagers (interrupts am-1)
  am-1 (20 already right)
    ~ file /etc/alertmanager/alertmanager.yml: sha256: a → b
      -old
      +new
    ~ service alertmanager: flags differ
      ! restart alertmanager
not read am-2: connection refused
2 changes on 1 host.`)
})

test('a plan says what a host will refuse, what to do about it, and what that means', () => {
  const refused = { why: '/srv/x belongs to x', fix: 'chown root /srv/x' }
  const batches = plan.batches.map((batch) => ({
    ...batch,
    hosts: batch.hosts.map((host) => ({ ...host, changes: host.changes.map((one) => ({ ...one, refused })) })),
  }))
  expect(
    planText({ ...plan, batches })
      .split('\n')
      .slice(-6),
  ).toEqual([
    'refused am-1: file /etc/alertmanager/alertmanager.yml: /srv/x belongs to x',
    '  chown root /srv/x',
    'refused am-1: service alertmanager: /srv/x belongs to x',
    '  chown root /srv/x',
    '2 changes on 1 host.',
    'Until that is mended, a run ends before its first change.',
  ])
})

test('an empty plan says so', () => {
  expect(planText({ ...plan, changes: 0, batches: [], unreachable: {} })).toBe('Nothing to change.')
  expect(planText({ ...plan, changes: 0, batches: [], read: 0 })).toMatch(
    /\nNo host was read: what would change is not known\.$/,
  )
  expect(planText({ ...plan, changes: 0, batches: [] })).toMatch(/\nNothing to change on the hosts that were read\.$/)
})

test('the exit code is 0 only where everything was done and every gate said yes', () => {
  const good = report({ 'am-1': { a: { status: 'same' }, b: { status: 'changed', ms: 1 } } })
  expect(exitCodeOf(good)).toBe(0)
  expect(exitCodeOf(report({ 'am-1': { a: { status: 'failed', ms: 1, why: 'x' } } }))).toBe(1)
  expect(exitCodeOf(report({ 'am-1': { a: { status: 'skipped', because: 'x' } } }))).toBe(1)
  expect(exitCodeOf({ ...good, gates: [{ name: 'g', host: 'h', play: 'p', pass: false, ms: 1 }] })).toBe(1)
  expect(exitCodeOf({ ...good, interrupted: true })).toBe(130)
})

test('a report ends with every failure, where it was, and what to do', () => {
  const failed = report({
    'am-1': { 'file /x': { status: 'failed', ms: 1, why: 'no space left', hint: 'Make room.' } },
  })
  expect(reportText(failed)).toMatch(
    /failed am-1: file \/x: no space left\n {2}Make room\.\ndeploy failed in 1\.5 s: 0 changed, 0 of 0 gates passed; run r$/,
  )
})
