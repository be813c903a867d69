import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  NAME,
  namesAmong,
  type Schedule,
  scheduleIn,
  serviceText,
  timerText,
  unitName,
} from '../../../lib/drill/schedule.ts'

const schedule: Schedule = {
  name: 'ha-routes',
  what: ['routes', 'payments/pager "x" 100%'],
  inventory: ['/etc/vestal/my inventory'],
  at: 'Mon..Fri 10:00',
  textfile: '/var/lib/node_exporter/textfile',
}
const where = {
  program: ['/usr/bin/true', '/opt/vestal/cli/vestal.js'],
  workingFolder: '/',
  runs: '/root/runs of 100%',
  environmentFile: '/etc/vestal/drill.env',
}

test('a service says what it holds, and what it says is read back', () => {
  expect(scheduleIn(serviceText(schedule, where))).toEqual(schedule)
  expect(scheduleIn('[Service]\n')).toBeNull()
  expect(scheduleIn('# schedule {"name": 1}')).toBeNull()
  expect(scheduleIn('# schedule nonsense')).toBeNull()
})

test('its timer and service are known among other units by their names', () => {
  expect(
    namesAmong([unitName('a', 'service'), unitName('a', 'timer'), 'vestal-drill-x.timer', 'cron.service']),
  ).toEqual(['a'])
  expect(['a', 'ha-routes', '-a', 'a-', 'A', 'a b', ''].map((name) => NAME.test(name))).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ])
})

test('systemd takes both, and hands each word over as it is', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vestal-schedule-'))
  try {
    const service = join(folder, unitName('ha-routes', 'service'))
    const timer = join(folder, unitName('ha-routes', 'timer'))
    writeFileSync(service, serviceText(schedule, where))
    writeFileSync(timer, timerText(schedule))
    execFileSync('systemd-analyze', ['verify', '--man=no', service, timer], { stdio: 'pipe' })
    expect(readFileSync(service, 'utf8')).toContain('"payments/pager \\"x\\" 100%%"')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('how the command ended is written whatever that was, and without a folder for metrics nothing is', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vestal-schedule-'))
  try {
    const text = serviceText({ ...schedule, textfile: folder }, where)
    const [, script = ''] = /ExecStopPost=:\/bin\/sh \\\n {2}-c \\\n {2}"(.*)"\n/.exec(text) ?? []
    const plain = script.replaceAll(/\\(.)/g, (_, one) => (one === 'n' ? '\n' : one)).replaceAll('%%', '%')
    const after = (status: string): string => {
      execFileSync('/bin/sh', ['-c', plain], { env: { ...process.env, EXIT_STATUS: status } })
      return readFileSync(join(folder, 'vestal-drill-ha-routes-end.prom'), 'utf8')
    }
    expect(after('1')).toContain('vestal_drill_schedule_exit_code{schedule="ha-routes"} 1\n')
    expect(after('KILL')).toContain('vestal_drill_schedule_exit_code{schedule="ha-routes"} 255\n')
    expect(after('0')).toMatch(/vestal_drill_schedule_end_timestamp_seconds\{schedule="ha-routes"\} \d{10}\n/)
    expect(serviceText({ ...schedule, textfile: null }, where)).not.toContain('ExecStopPost')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
