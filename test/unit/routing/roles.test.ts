/** What the roles write where there are teams. */
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { InputError } from '../../../lib/errors.ts'
import { fleet, hostsFile, route } from '../roles/fleet.ts'

const groups = {
  alertmanager: { 'am-1': { ansible_host: '10.0.0.1' } },
  prometheus: { 'prom-1': { ansible_host: '10.0.0.2' } },
}
const made = (teams: string, { alertmanager = '0.33.1', prometheus = '3.5.3' } = {}) =>
  fleet(
    {
      'hosts.yml': hostsFile(groups, {
        alertmanager: { version: alertmanager, config: route, canary: { enabled: false } },
        prometheus: { version: prometheus, cluster: 'eu' },
      }),
      'teams/all.yml': teams,
    },
    {},
  )
const TEAMS = `
payments:
  owns: ['namespace="payments"', 'namespace="ledger"', 'namespace=~"pay-.*", cluster!~"test|dev"']
  receivers:
    chat: { webhook_configs: [{ url: http://chat/p }] }
    pager: { pagerduty_configs: [{ routing_key: secret-key }] }
  times: { office: [{ weekdays: ['monday:friday'] }] }
  notify:
    - { severity: critical, to: [pager, chat] }
    - { severity: [warning, info], hours: office, to: chat }
  mute: [office]
  grouping: { by: [alertname], repeat: 12h }
  escalation: { after: 30m, to: pager }
rest: { default: true, receivers: { mail: { webhook_configs: [{ url: http://mail }] } } }
`
const CONFIG = '/etc/alertmanager/alertmanager.yml'

test('each team has one route keyed on its label, the default one the last', async () => {
  using one = await made(TEAMS)
  expect(parse(one.text('alertmanager', 'am-1', CONFIG))).toMatchInlineSnapshot(`
    {
      "inhibit_rules": [
        {
          "equal": [
            "job",
            "instance",
          ],
          "source_matchers": [
            "alertname="TargetDown"",
          ],
          "target_matchers": [
            "alertname=~"ScrapeUnreliable|RestartLoop"",
          ],
        },
        {
          "equal": [
            "job",
            "instance",
          ],
          "source_matchers": [
            "alertname="CertificateAboutToExpire"",
          ],
          "target_matchers": [
            "alertname="CertificateExpires"",
          ],
        },
        {
          "equal": [
            "namespace",
            "service",
            "job",
          ],
          "source_matchers": [
            "alertname="ErrorRatioHigh"",
          ],
          "target_matchers": [
            "alertname=~"ErrorRatioRaised|LatencyHigh"",
          ],
        },
        {
          "equal": [
            "job",
            "instance",
            "mountpoint",
          ],
          "source_matchers": [
            "alertname="DiskAlmostFull"",
          ],
          "target_matchers": [
            "alertname="DiskFillsUp"",
          ],
        },
        {
          "equal": [
            "job",
            "instance",
          ],
          "source_matchers": [
            "alertname="MemoryAlmostFull"",
          ],
          "target_matchers": [
            "alertname="MemoryFillsUp"",
          ],
        },
      ],
      "receivers": [
        {
          "name": "team",
        },
        {
          "name": "payments/chat+pager",
          "pagerduty_configs": [
            {
              "routing_key_file": "/etc/alertmanager/secrets/payments.pager.pagerduty_configs.0.routing_key",
            },
          ],
          "webhook_configs": [
            {
              "url": "http://chat/p",
            },
          ],
        },
        {
          "name": "payments/chat",
          "webhook_configs": [
            {
              "url": "http://chat/p",
            },
          ],
        },
        {
          "name": "payments/pager",
          "pagerduty_configs": [
            {
              "routing_key_file": "/etc/alertmanager/secrets/payments.pager.pagerduty_configs.0.routing_key",
            },
          ],
        },
        {
          "name": "rest/mail",
          "webhook_configs": [
            {
              "url": "http://mail",
            },
          ],
        },
      ],
      "route": {
        "receiver": "team",
        "routes": [
          {
            "group_by": [
              "alertname",
            ],
            "matchers": [
              "team="payments"",
            ],
            "mute_time_intervals": [
              "payments/office",
            ],
            "receiver": "payments/chat+pager",
            "repeat_interval": "12h",
            "routes": [
              {
                "matchers": [
                  "escalated="true"",
                ],
                "mute_time_intervals": [
                  "payments/office",
                ],
                "receiver": "payments/pager",
              },
              {
                "continue": true,
                "matchers": [
                  "severity="critical"",
                ],
                "mute_time_intervals": [
                  "payments/office",
                ],
                "receiver": "payments/chat+pager",
              },
              {
                "active_time_intervals": [
                  "payments/office",
                ],
                "continue": true,
                "matchers": [
                  "severity=~"warning|info"",
                ],
                "mute_time_intervals": [
                  "payments/office",
                ],
                "receiver": "payments/chat",
              },
            ],
          },
          {
            "receiver": "rest/mail",
          },
        ],
      },
      "time_intervals": [
        {
          "name": "payments/office",
          "time_intervals": [
            {
              "weekdays": [
                "monday:friday",
              ],
            },
          ],
        },
      ],
    }
  `)
})

test('alerts get their team at the source', async () => {
  using one = await made(TEAMS)
  const { alerting } = parse(one.text('prometheus', 'prom-1', '/etc/prometheus/prometheus.yml'))
  expect(alerting.alert_relabel_configs).toMatchInlineSnapshot(`
    [
      {
        "action": "labeldrop",
        "regex": "replica",
      },
      {
        "regex": ";(?:payments|ledger)",
        "replacement": "payments",
        "source_labels": [
          "team",
          "namespace",
        ],
        "target_label": "team",
      },
      {
        "regex": "(?:test|dev)",
        "replacement": "1",
        "source_labels": [
          "cluster",
        ],
        "target_label": "__vestal_refused",
      },
      {
        "regex": "\\x01\\x01(?:pay-.*)",
        "replacement": "payments",
        "separator": "",
        "source_labels": [
          "team",
          "__vestal_refused",
          "namespace",
        ],
        "target_label": "team",
      },
      {
        "replacement": "",
        "target_label": "__vestal_refused",
      },
      {
        "regex": "(.+)",
        "source_labels": [
          "escalated_alertname",
        ],
        "target_label": "alertname",
      },
      {
        "action": "labeldrop",
        "regex": "escalated_alertname",
      },
    ]
  `)
})

test('ownership is a metric, and escalation a rule, over series without the labels that Prometheus adds', async () => {
  using one = await made(TEAMS)
  expect(one.text('prometheus', 'prom-1', '/etc/prometheus/rules/vestal-teams.yml')).toMatchInlineSnapshot(`
    "groups:
      - name: vestal-teams
        interval: 1m
        rules:
          - {"record":"vestal_team_owner","expr":"vector(1)","labels":{"team":"payments","namespace":"payments"}}
          - {"record":"vestal_team_owner","expr":"vector(1)","labels":{"team":"payments","namespace":"ledger"}}
          - {"alert":"Escalated","expr":"max without (alertstate) (ALERTS{alertstate=\\"firing\\",escalated=\\"\\",severity=~\\"critical\\",team=\\"payments\\"} or ALERTS{alertstate=\\"firing\\",escalated=\\"\\",severity=~\\"critical\\",team=\\"\\",namespace=\\"payments\\"} or ALERTS{alertstate=\\"firing\\",escalated=\\"\\",severity=~\\"critical\\",team=\\"\\",namespace=\\"ledger\\"} or ALERTS{alertstate=\\"firing\\",escalated=\\"\\",severity=~\\"critical\\",team=\\"\\",namespace=~\\"pay-.*\\"})","for":"30m","labels":{"escalated":"true","escalated_alertname":"{{ $labels.alertname }}"},"annotations":{"summary":"{{ $labels.alertname }} of team payments has been firing for 30m."}}
    "
  `)
})

test('secrets stand in files of their own, or in the configuration where this version has no field for a file', async () => {
  using one = await made(TEAMS)
  const { content } = one.fileData(
    'alertmanager',
    'am-1',
    '/etc/alertmanager/secrets/payments.pager.pagerduty_configs.0.routing_key',
  )
  expect(String(content)).toBe('[secret]')
  using old = await made(
    'a: { owns: [\'x="1"\'], receivers: { p: { pushover_configs: [{ token: abcd, user_key: efgh }] } } }',
    { alertmanager: '0.25.0' },
  )
  expect(old.text('alertmanager', 'am-1', CONFIG)).toContain(
    '- {"name":"a/p","pushover_configs":[{"token":[secret],"user_key":[secret]}]}',
  )
})

test('without a folder of teams nothing is added', async () => {
  using one = await fleet({
    'hosts.yml': hostsFile(groups, {
      alertmanager: { version: '0.33.1', config: route, canary: { enabled: false } },
      prometheus: { version: '3.5.3' },
    }),
  })
  expect(parse(one.text('alertmanager', 'am-1', CONFIG))).toEqual(route)
  expect(one.tasks('alertmanager', 'am-1').map(({ key }) => key)).not.toContain('/etc/alertmanager/secrets')
})

describe('what is refused before any machine is touched', () => {
  const refused = async (teams: string, versions = {}): Promise<readonly string[]> => {
    using one = await made(teams, versions)
    try {
      one.tasks('alertmanager', 'am-1')
      one.tasks('prometheus', 'prom-1')
      return []
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      return error.mistakes.map(({ where, path, what }) => `${where.replace(/.*\/teams\//, '')}: ${path}: ${what}`)
    }
  }
  const team = (more: string) =>
    `a: { owns: ['"näme"="1"'], receivers: { x: { webhook_configs: [{ url: http://x }] } }, ${more} }`

  test('a case that comes out otherwise, at its place', async () => {
    const cases = 'cases: [{ alert: { "näme": "1" }, receivers: [a/y], team: b, group_by: [job], inhibited: true }]'
    expect(await refused(team(cases))).toEqual([
      'all.yml:1:96: {näme="1"}: is owned by a, not b; notifies a/x, not a/y; is grouped by nobody, not job; is not inhibited',
    ])
  })

  test('a label that this Prometheus cannot have', async () => {
    expect(await refused(team(''), { prometheus: '2.53.3' })).toEqual([
      'all.yml:1:13: a.owns: Prometheus 2.53.3 has no label called "näme"; 3.0 is the first that takes any name',
    ])
  })

  test('a kind of receiver that this Alertmanager does not know', async () => {
    expect(
      await refused('a: { owns: [{ x: "1" }], receivers: { j: { jira_configs: [{}] } } }', { alertmanager: '0.25.0' }),
    ).toEqual([
      'all.yml:1:58: a.receivers.j.jira_configs: Alertmanager 0.25.0 does not know jira_configs; 0.28.0 is the first that does',
    ])
  })
})
