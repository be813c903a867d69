import { describe, expect, test } from 'vitest'
import { hook, load, mistakesIn } from './teams.ts'

test('a team is what its file says, by its name', () => {
  const { teams } = load({
    'a.yml': `payments:\n  owns: ['namespace="payments", cluster=~"eu-.*"', { service: ledger, namespace: x }]\n  ${hook('chat')}\n`,
  })
  expect(
    teams.map(({ name, claims, notify }) => ({ name, claims: claims.map(({ matchers }) => matchers), notify })),
  ).toEqual([
    {
      name: 'payments',
      claims: [
        [
          { name: 'namespace', operator: '=', value: 'payments' },
          { name: 'cluster', operator: '=~', value: 'eu-.*' },
        ],
        [
          { name: 'service', operator: '=', value: 'ledger' },
          { name: 'namespace', operator: '=', value: 'x' },
        ],
      ],
      notify: [{ severities: [], to: ['chat'] }],
    },
  ])
})

test('all mistakes of all files are told at once, each at its place', () => {
  expect(
    mistakesIn({
      'a.yml': `payments:\n  owns: ['namespace="p']\n  recievers: {}\n  ${hook('chat')}\n  notify: [{ to: caht }, { to: chat, hours: day }]\n`,
      'b.yml': `web:\n  owns: [{ team: web }, 'ns=~"("']\n  mute: [nihgts]\n`,
      'c.yml': 'web:\n  default: true\n  receivers: { x: { webhok_configs: [] } }\nother: { default: true }\n',
    }),
  ).toMatchInlineSnapshot(`
    [
      "a.yml:3:3: payments: unknown key \`recievers\`; did you mean \`receivers\`?",
      "b.yml:2:10: web.owns.0: the label \`team\` says whose an alert is and cannot be part of a claim",
      "b.yml:2:25: web.owns.1: "(": a \`(\` without its \`)\`",
      "b.yml:2:3: web: has no receiver: nobody would be told",
      "b.yml:3:10: web.mute.0: no time interval is called \`nihgts\`; did you mean \`nights\`?",
      "c.yml:2:3: web: this team is already there: b.yml:2:3",
      "c.yml:3:19: web.receivers.x: tells nobody: it has no block such as webhook_configs",
      "c.yml:3:21: web.receivers.x: unknown key \`webhok_configs\`; did you mean \`webhook_configs\`?",
      "c.yml:4:8: other: has no receiver: nobody would be told",
    ]
  `)
})

describe('claims that overlap are shown with an alert that both teams would get', () => {
  const both = (one: string, other: string): readonly string[] =>
    mistakesIn({ 't.yml': `a:\n  owns: ['${one}']\n  ${hook('x')}\nb:\n  owns: ['${other}']\n  ${hook('x')}\n` }).map(
      (text) => /same alert, (\{.*\}), by/.exec(text)?.[1] ?? text,
    )
  test.each([
    ['namespace="x"', 'namespace="x"', ['{namespace="x"}']],
    ['namespace="x"', 'namespace="y"', []],
    ['namespace="x"', 'job="y"', ['{namespace="x", job="y"}']],
    ['namespace="x"', 'namespace="", job="y"', []],
    ['namespace=~"pay.*"', 'namespace=~".*-eu"', ['{namespace="pay-eu"}']],
    ['namespace=~"pay.*"', 'namespace=~"web.*"', []],
    ['namespace=~"pay.*", cluster="a"', 'namespace=~"p.*", cluster="b"', []],
    ['namespace=~"pay.*"', 'namespace=~"pa.*", namespace!~"pay.*"', []],
    ['namespace=~"pay.*"', 'namespace=~"pa.*", namespace!~"pay-.*"', ['{namespace="pay"}']],
    ['namespace!="x"', 'namespace!="y"', ['{}']],
    ['namespace=~"(?i)pay"', 'namespace="PAY"', ['{namespace="PAY"}']],
    ['namespace=~"[0-9]{3}"', 'namespace=~"\\\\d+5"', ['{namespace="005"}']],
    ['"dienst.näme"="x"', '"dienst.näme"=~"x|y"', ['{dienst.näme="x"}']],
  ])('%s and %s', (one, other, alerts) => expect(both(one, other)).toEqual(alerts))

  test('those of one team may overlap', () => {
    expect(mistakesIn({ 't.yml': `a:\n  owns: ['x="1"', 'x=~".+"']\n  ${hook('x')}\n` })).toEqual([])
  })
})

test('secrets come from the environment and cannot print', () => {
  const { teams } = load(
    {
      'a.yml':
        'a:\n  receivers: { p: { pagerduty_configs: [{ routing_key: { $env: KEY } }, { service_key: plain }] } }',
    },
    { KEY: 'hidden' },
  )
  expect(JSON.stringify(teams)).toContain('[{"routing_key":"[secret]"},{"service_key":"[secret]"}]')
})
