/** What follows from teams, as promtool evaluates it: escalation after the time, with the alert's labels, and the metric of owners. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { teamRules } from '../../../lib/routing/team-rules.ts'
import { hook, load } from '../../unit/routing/teams.ts'
import { unpacked, versionsOf } from './binaries.ts'

const { teams } = load({
  'a.yml': `payments:\n  owns: ['namespace="payments", cluster="eu"', 'namespace=~"pay-.*"']\n  ${hook('boss')}\n  escalation: { after: 30m, to: boss }\n`,
})
const OWN = {
  groups: [{ name: 'own', rules: [{ alert: 'Down', expr: 'up == 0', labels: { severity: 'critical' } }] }],
}

test.each(versionsOf('prometheus'))(
  'promtool %s escalates what has been firing for too long, and only what the team owns',
  (version) => {
    const folder = mkdtempSync(join(tmpdir(), 'vestal-escalation-'))
    writeFileSync(join(folder, 'teams.yml'), teamRules(teams, { label: 'team', external: { cluster: 'eu' } }))
    writeFileSync(join(folder, 'own.yml'), JSON.stringify(OWN))
    const escalated = (namespace: string) => ({
      exp_labels: { severity: 'critical', namespace, escalated: 'true', escalated_alertname: 'Down' },
      exp_annotations: { summary: 'Down of team payments has been firing for 30m.' },
    })
    const tests = [
      {
        interval: '1m',
        input_series: ['payments', 'pay-roll', 'web'].map((namespace) => ({
          series: `up{namespace="${namespace}"}`,
          values: '0x60',
        })),
        alert_rule_test: [
          { eval_time: '20m', alertname: 'Escalated' },
          { eval_time: '40m', alertname: 'Escalated', exp_alerts: ['payments', 'pay-roll'].map(escalated) },
        ],
        promql_expr_test: [
          {
            expr: 'vestal_team_owner',
            eval_time: '5m',
            exp_samples: [
              { labels: 'vestal_team_owner{team="payments", namespace="payments", cluster="eu"}', value: 1 },
            ],
          },
        ],
      },
    ]
    const file = join(folder, 'escalation.test.yml')
    writeFileSync(file, JSON.stringify({ rule_files: ['own.yml', 'teams.yml'], evaluation_interval: '1m', tests }))
    const { status, stdout, stderr } = spawnSync(
      join(unpacked('prometheus', version), 'promtool'),
      ['test', 'rules', file],
      { encoding: 'utf8' },
    )
    rmSync(folder, { recursive: true })
    expect([status, stdout + stderr]).toEqual([0, expect.stringContaining('SUCCESS')])
  },
)
