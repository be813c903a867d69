import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { mistakesIn } from '../../../../fleet/tenants/validate.ts'

const RIGHT = `
route:
  receiver: team
  group_by: ['...']
  group_wait: 0s
  routes:
    - { receiver: nobody, matchers: ['severity = info'], mute_time_intervals: [nights], group_interval: 1h30m }
receivers:
  - { name: team, webhook_configs: [{ url: 'http://x' }] }
  - { name: nobody }
time_intervals: [{ name: nights, time_intervals: [] }]
inhibit_rules: [{ source_matchers: ['a = b'], target_matchers: ['c = d'] }]
templates: [team.tmpl, 'more-*.tmpl']
`
const said = (text: string, templates: readonly string[] = ['team.tmpl']): readonly string[] =>
  mistakesIn(parse(text), templates).map(({ path, what }) => `${path.join('.')}: ${what}`)

test('nothing is wrong with a configuration that is right', () => {
  expect(said(RIGHT)).toEqual([])
})

test.each([
  ['receivers: [{ name: a }]', 'route: there is no route at the top of the tree'],
  ['{ route: {}, receivers: [{ name: a }] }', 'route: the route at the top has no receiver'],
  ['{ route: { receiver: b }, receivers: [{ name: a }] }', 'route.receiver: no receiver is called "b"'],
  ['{ route: { receiver: a } }', 'receivers: there is no receiver: nobody would be notified'],
  [
    '{ route: { receiver: a }, receivers: [{ name: a }, { name: a }] }',
    'receivers.1.name: two receivers are called "a"',
  ],
  [
    '{ route: { receiver: a, matchers: [x = y] }, receivers: [{ name: a }] }',
    'route.matchers: the route at the top takes every alert at every time',
  ],
  ['{ route: { receiver: a, group_wait: soon }, receivers: [{ name: a }] }', 'route.group_wait: "soon" is no duration'],
  [
    '{ route: { receiver: a, group_interval: 0s }, receivers: [{ name: a }] }',
    'route.group_interval: must be longer than nothing',
  ],
  [
    "{ route: { receiver: a, routes: [{ matchers: ['no matcher'] }] }, receivers: [{ name: a }] }",
    /route\.routes\.0\.matchers\.0: /,
  ],
  [
    '{ route: { receiver: a, routes: [{ active_time_intervals: [x] }] }, receivers: [{ name: a }] }',
    'route.routes.0.active_time_intervals: no time interval is called "x"',
  ],
  ['{ route: { receiver: a, group_by: [x, x] }, receivers: [{ name: a }] }', 'route.group_by: a label twice'],
  [
    '{ route: { receiver: a, gruop_by: [x] }, receivers: [{ name: a }] }',
    'route.gruop_by: Alertmanager knows no such setting',
  ],
  [
    '{ route: { receiver: a }, receivers: [{ name: a, webhok_configs: [] }] }',
    'receivers.0.webhok_configs: Alertmanager knows no such setting',
  ],
  [
    '{ route: { receiver: a }, receivers: [{ name: a, webhook_configs: [{ url_file: /etc/passwd }] }] }',
    'receivers.0.webhook_configs.0.url_file: Cortex takes no files of its own disk',
  ],
  [
    '{ route: { receiver: a }, receivers: [{ name: a }], templates: [/etc/x.tmpl] }',
    'templates.0: a template is a file name without folders',
  ],
  [
    '{ route: { receiver: a }, receivers: [{ name: a }], templates: [other.tmpl] }',
    'templates.0: there is no template "other.tmpl"',
  ],
])('%s is refused', (text, what) => {
  expect(said(text)).toContainEqual(what instanceof RegExp ? expect.stringMatching(what) : what)
})
