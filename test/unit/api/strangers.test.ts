import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { runningView } from '../../../fleet/check/view-of-running.ts'
import { readWayBack } from '../../../fleet/upgrade/rollback-points.ts'
import { readRunning } from '../../../fleet/upgrade/running-versions.ts'
import { instant, listOf, placeInUrl, texts, versionText } from '../../../lib/api/forms.ts'
import { parseJson } from '../../../lib/api/json.ts'
import { runningYaml } from '../../../lib/api/running-yaml.ts'
import { alertmanagerServes, gossipMembersAre } from '../../../lib/gates/alertmanager.ts'
import { metricIsZero } from '../../../lib/gates/metric.ts'
import { alertmanagersDiscovered, everyTargetScraped } from '../../../lib/gates/prometheus.ts'
import type { Connection, Host, Inventory } from '../../../lib/model.ts'
import { relabel } from '../../../lib/routing/relabel.ts'
import { alertingForm, routingForm } from '../../../lib/routing/running-forms.ts'
import { alertmanager } from '../../../roles/alertmanager/role.ts'
import { nodeExporter } from '../../../roles/node-exporter/role.ts'
import { prometheus } from '../../../roles/prometheus/role.ts'
import { hostWith } from '../connection/host.ts'
import { statusAnswer } from '../gates/answers.ts'
import { Answer, reach, verdict, webServer } from '../gates/web-server.ts'

/** What a piece of work takes: more than a few seconds would be no limit. */
const inTime = <T>(work: () => T): T => {
  const began = performance.now()
  try {
    return work()
  } finally {
    expect(performance.now() - began).toBeLessThan(5_000)
  }
}

describe('JSON that a web server makes up', () => {
  test('with millions of empty lists is refused before it takes memory', () => {
    expect(() => inTime(() => parseJson(`[${'[],'.repeat(8_000_000)}[]]`))).toThrow('more than 500000 values')
    expect(() => inTime(() => parseJson('['.repeat(8_000_000)))).toThrow('more than 500000 values')
  })
  test('that is long and means something is read', () => {
    expect(parseJson(`["${'x'.repeat(8_000_000)}"]`)).toHaveLength(1)
  })
  test('of another form in every item is one error', () => {
    const { error } = inTime(() => listOf(z.object({ id: z.string() })).safeParse(Array(1_000_000).fill(1)))
    expect(error?.issues).toHaveLength(1)
    expect(error?.issues[0]?.path).toEqual([0])
    const deep = z.object({ a: listOf(z.object({ b: listOf(z.string()) })) }).safeParse({ a: [{ b: ['x', 7] }] })
    expect(deep.error?.issues[0]?.path).toEqual(['a', 0, 'b', 1])
  })
})

test.each([
  [instant, 'soon'],
  [instant, ''],
  [placeInUrl, 'no url'],
  [placeInUrl, 'http://[::1'],
  [versionText, '3'],
  [versionText, '3.5.3; reboot'],
  [versionText, `${'9'.repeat(400)}.0.0`],
  [texts, { a: 1 }],
  [texts, ['a']],
  [texts, null],
])('what is none is refused (%#)', (form, value) => {
  expect(form.safeParse(value).success).toBe(false)
})

describe('a running config', () => {
  const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]']
  for (const [one, next] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg', 'gh', 'hi'])
    bomb.push(`${next}: &${next} [${Array(9).fill(`*${one}`).join()}]`)
  test.each([
    ['that unfolds from aliases', bomb.join('\n'), 'Excessive alias count'],
    ['that is no YAML', 'a: [', 'Flow sequence'],
    ['that is a word', 'hello', 'expected object'],
    ['that is deep', '['.repeat(1_000_000), 'more than 200 deep'],
    ['of a list in each line', '[\n'.repeat(99_000), ''],
    ['of a list in a list', '- '.repeat(1_000_000), 'more than 100000 lines and items'],
    ['that is long', '# x\n'.repeat(2_000_000), 'larger than 4 MiB'],
    ['of many lines', 'a\n'.repeat(1_000_000), 'more than 100000 lines and items'],
    [
      'with a modulus of 0',
      'alerting: {alert_relabel_configs: [{action: hashmod, modulus: 0}]}',
      'alerting.alert_relabel_configs.0.modulus',
    ],
    ['with steps that are none', 'alerting: {alert_relabel_configs: [7]}', 'alerting.alert_relabel_configs.0'],
    ['with labels that are lists', 'global: {external_labels: {a: [1]}}', 'global.external_labels.a'],
  ])('%s is that host’s failure', (_, text, why) => {
    let error: unknown
    try {
      inTime(() => runningYaml('web-1', text, alertingForm))
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ name: 'HostError', host: 'web-1', task: 'config' })
    expect(String(error)).toContain('what it says of its running config cannot be understood: ')
    expect(String(error)).toContain(why)
  })

  test('as Prometheus and Alertmanager print theirs is read', () => {
    const config = runningYaml('web-1', 'global:\n  external_labels:\n    replica: 1\n', alertingForm)
    expect(config.global?.external_labels).toEqual({ replica: '1' })
    const { route } = runningYaml(
      'web-1',
      'route: {receiver: a, routes: [{matchers: ["a=b"], group_interval: 5m}]}',
      routingForm,
    )
    expect(route?.routes?.[0]).toEqual({ matchers: ['a=b'], group_interval: '5m' })
  })
})

test('an expression that JavaScript would follow for ever is given up', () => {
  const step = { source_labels: ['a'], regex: '(?:(?:a+)+b|(.*))', target_label: 'b', replacement: '$1' }
  expect(() => inTime(() => relabel({ a: `${'a'.repeat(40)}c` }, [step], true))).toThrow('takes too long')
  expect(relabel({ a: 'xyz' }, [{ ...step, regex: '(x|y)+(?P<rest>.*)', replacement: '${rest}' }], true)).toEqual({
    a: 'xyz',
    b: 'z',
  })
})

describe('gates over a web server that lies say no', () => {
  const runtime = { data: { startTime: 'a while ago', reloadConfigSuccess: true } }
  test.each([
    [
      { '/-/ready': {}, '/api/v1/alertmanagers': { data: { activeAlertmanagers: [{ url: 'nowhere' }] } } },
      'expected a URL',
    ],
    [{ '/-/ready': {}, '/api/v1/alertmanagers': new Answer(200, '\x1b[2J') }, 'answered in an unknown form'],
  ])('for its Alertmanagers (%#)', async (pages, why) => {
    await using server = await webServer('prom-1', pages)
    await expect(verdict(alertmanagersDiscovered(server.endpoint, ['a:1']))).rejects.toThrow(why)
  })
  test('for a start that is no time', async () => {
    await using server = await webServer('prom-1', {
      '/-/ready': {},
      '/api/v1/status/runtimeinfo': runtime,
      '/api/v1/targets?state=active': { data: { activeTargets: [] } },
    })
    await expect(verdict(everyTargetScraped(server.endpoint, { expected: [], within: '1s' }))).rejects.toThrow(
      'data.startTime: expected a time',
    )
  })
  test('for members that are no addresses', async () => {
    const peers = [{ name: 'a', address: '[::1' }]
    await using server = await webServer('am-1', { '/api/v2/status': statusAnswer({ status: 'ready', peers }) })
    expect(await verdict(gossipMembersAre(server.endpoint, { members: ['a:1'] }))).toMatchObject({ pass: false })
    expect(await verdict(alertmanagerServes(server.endpoint))).toEqual({ pass: true })
  })
  test('for a page of metrics that is all line ends', async () => {
    await using server = await webServer('am-1', {
      '/metrics': new Answer(200, `${'\n'.repeat(14_000_000)}x{a="b"} 7\n`),
    })
    expect(await verdict(metricIsZero('x', server.endpoint, { metric: 'x', of: 'things' }))).toMatchObject({
      pass: false,
      why: '7 things',
    })
  })
})

test('an answer without end is refused when it is too large', async () => {
  await using server = await webServer('am-1', { '/metrics': new Answer(200, 'x'.repeat(17 * 1024 * 1024)) })
  const refused = { name: 'HostError', host: 'am-1', task: 'ask' }
  await expect(verdict(metricIsZero('x', server.endpoint, { metric: 'x', of: 'things' }))).rejects.toMatchObject({
    ...refused,
    message: expect.stringContaining('the answer is larger than 16 MiB'),
  })
})

test('of several answers that are too large together the largest is refused, and the others are read', async () => {
  const sizes = [3, 9, 15]
  const servers = await Promise.all(
    sizes.map((size) =>
      webServer(`am-${size}`, { '/metrics': new Answer(200, `x 0\n${'#'.repeat(size * 1024 * 1024)}`) }),
    ),
  )
  const said = await Promise.all(
    servers.map(({ endpoint }) =>
      verdict(metricIsZero('x', endpoint, { metric: 'x', of: 'things' })).catch((error: Error) => error.message),
    ),
  )
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()))
  expect(said.slice(0, 2)).toEqual([{ pass: true }, { pass: true }])
  // All that came of the others may have been read, and let go, before the last one has come.
  if (typeof said[2] === 'string') expect(said[2]).toContain('which are too large together')
})

describe('what a host says of its versions', () => {
  const roles = [prometheus, alertmanager, nodeExporter]
  const host: Host = { ...hostWith(), groups: [], vars: {} }
  const saying = (stdout: string): Connection =>
    ({ host, exec: async () => ({ code: 0, stdout: Buffer.from(stdout), stderr: '' }) }) as unknown as Connection
  const failure = { name: 'HostError', host: 'web-1', task: 'versions' }

  test.each(['prometheus=latest\n', 'prometheus=\x1b[2J\n', `prometheus=${'9'.repeat(1e6)}\n`, '=\n', 'x\n'])(
    'as %j is its own failure',
    async (said) => {
      const inventory = { roles, hosts: [host] } as unknown as Inventory
      await expect(readRunning(async () => saying(said), host, inventory)).rejects.toMatchObject(failure)
    },
  )
  test.each(['now-prometheus=latest\n', 'run=../../etc\n', 'last=$(reboot)\n', `run=${'x'.repeat(1e6)}\n`])(
    'as %j on its way back is its own failure',
    async (said) => {
      await expect(readWayBack(saying(said), roles, undefined)).rejects.toMatchObject(failure)
    },
  )
})

test('a host whose program answers nonsense is named, and no part of the fleet that runs', async () => {
  await using server = await webServer('am-1', {
    '/api/v2/status': { ...statusAnswer({ status: 'ready' }), config: { original: 'a: *b' } },
  })
  const vars = {
    version: '0.33.1',
    listen: `127.0.0.1:${server.endpoint.port}`,
    config: { route: { receiver: 'a' }, receivers: [{ name: 'a' }] },
  }
  const host: Host = { ...server.endpoint.host, groups: ['alertmanager'], vars: { alertmanager: vars } }
  const found = await runningView({ hosts: [host], roles: [] } as unknown as Inventory, {
    hosts: [host],
    reach,
    command: () => ['alertmanager'],
  })
  expect(found.view.alertmanagers).toEqual([])
  expect(found.unread).toMatchObject([{ host: 'am-1', why: expect.stringContaining('its running config') }])
})
