import { describe, expect, test } from 'vitest'
import {
  alertmanagersDiscovered,
  configInForce,
  everyTargetScraped,
  prometheusReady,
  ruleGroupsEvaluated,
  samplesSent,
} from '../../../lib/gates/prometheus.ts'
import { groupAnswer, targetAnswer } from './answers.ts'
import { Answer, type Pages, verdict, webServer } from './web-server.ts'

const STARTED = '2026-01-01T10:00:00.123456789Z'
const BEFORE = '2026-01-01T09:59:59Z'
const AFTER = '2026-01-01T10:00:05Z'
const NEVER = '0001-01-01T00:00:00Z'

const data = (value: unknown) => ({ status: 'success', data: value })
const running = (pages: Pages = {}): Pages => ({
  '/-/ready': new Answer(200, 'Prometheus Server is Ready.\n'),
  '/api/v1/status/runtimeinfo': data({ startTime: STARTED, reloadConfigSuccess: true }),
  ...pages,
})
const replaying: Pages = {
  '/-/ready': new Answer(503, 'Service Unavailable'),
  '/api/v1/status/walreplay': data({ min: 0, max: 120, current: 34 }),
}
const target = (address: string, lastScrape: string) =>
  targetAnswer({
    scrapeUrl: `http://${address}/metrics`,
    lastScrape,
    health: 'down',
    discoveredLabels: { __address__: address },
  })
const targets = (...activeTargets: unknown[]) => running({ '/api/v1/targets?state=active': data({ activeTargets }) })
const expected = [{ job: 'node', address: '10.0.0.1:9100' }]

describe('a Prometheus that replays its WAL', () => {
  test('is not ready, and says which segment it is at', async () => {
    await using prometheus = await webServer('prom-1', replaying)
    expect(await verdict(prometheusReady(prometheus.endpoint))).toEqual({
      pass: false,
      why: 'it is starting: replaying WAL segment 34 of 120',
      progress: 'WAL segment 34 of 120',
    })
  })

  test('makes every other gate wait as long as the replay moves', async () => {
    await using prometheus = await webServer('prom-1', replaying)
    const gates = [
      configInForce(prometheus.endpoint),
      everyTargetScraped(prometheus.endpoint, { expected, within: '1m' }),
      alertmanagersDiscovered(prometheus.endpoint, []),
      ruleGroupsEvaluated(prometheus.endpoint, { files: [], within: '1m' }),
    ]
    for (const gate of gates)
      expect(await verdict(gate)).toMatchObject({ pass: false, progress: 'WAL segment 34 of 120' })
  })
})

test('a Prometheus that serves is ready', async () => {
  await using prometheus = await webServer('prom-1', running())
  expect(await verdict(prometheusReady(prometheus.endpoint))).toEqual({ pass: true })
})

test('a Prometheus that refused its config at the last reload has not got it in force', async () => {
  await using prometheus = await webServer('prom-1', running())
  expect(await verdict(configInForce(prometheus.endpoint))).toEqual({ pass: true })
  prometheus.pages['/api/v1/status/runtimeinfo'] = data({ startTime: STARTED, reloadConfigSuccess: false })
  expect(await verdict(configInForce(prometheus.endpoint))).toMatchObject({
    pass: false,
    why: expect.stringMatching(/refused its config/),
  })
})

describe('every target scraped', () => {
  const ask = async (pages: Pages) => {
    await using prometheus = await webServer('prom-1', pages)
    return await verdict(everyTargetScraped(prometheus.endpoint, { expected, within: '1m' }))
  }

  test('a target of the inventory that is not discovered is named', async () => {
    expect(await ask(targets())).toEqual({ pass: false, why: 'not yet discovered: node 10.0.0.1:9100' })
  })

  test('a target that was scraped only before the restart still waits, and each scraped one is progress', async () => {
    expect(await ask(targets(target('10.0.0.1:9100', BEFORE), target('10.0.0.2:9100', AFTER)))).toEqual({
      pass: false,
      why: 'not yet scraped: http://10.0.0.1:9100/metrics',
      progress: '1 of 2 targets scraped',
    })
  })

  test('a target that was never scraped still waits', async () => {
    expect(await ask(targets(target('10.0.0.1:9100', NEVER)))).toMatchObject({ pass: false })
  })

  test('a target that is down counts once its scrape was tried', async () => {
    expect(await ask(targets(target('10.0.0.1:9100', AFTER)))).toEqual({ pass: true, detail: '1 target' })
  })
})

describe('the Alertmanagers it sends to', () => {
  const ask = async (urls: readonly string[], wanted: readonly string[]) => {
    const active = data({ activeAlertmanagers: urls.map((url) => ({ url })), droppedAlertmanagers: [] })
    await using prometheus = await webServer('prom-1', running({ '/api/v1/alertmanagers': active }))
    return await verdict(alertmanagersDiscovered(prometheus.endpoint, wanted))
  }

  test('are exactly those of the inventory', async () => {
    const urls = ['http://10.0.0.3:9093/api/v2/alerts', 'http://[fd00::1]:80/api/v2/alerts']
    expect(await ask(urls, ['[fd00:0::1]:80', '10.0.0.3:9093'])).toEqual({ pass: true, detail: '2 Alertmanagers' })
  })

  test('one that is missing is named', async () => {
    expect(await ask(['http://10.0.0.3:9093/api/v2/alerts'], ['10.0.0.3:9093', '10.0.0.4:9093'])).toEqual({
      pass: false,
      why: 'does not send to 10.0.0.4:9093',
    })
  })

  test('one that the inventory does not know is named', async () => {
    expect(await ask(['http://10.0.0.9:9093/api/v2/alerts'], [])).toEqual({
      pass: false,
      why: 'also sends to 10.0.0.9:9093, not in the inventory',
    })
  })
})

describe('rule groups', () => {
  const group = (lastEvaluation: string, interval = 15) => groupAnswer({ interval, lastEvaluation })
  const ask = async (groups: unknown[]) => {
    await using prometheus = await webServer('prom-1', running({ '/api/v1/rules': data({ groups }) }))
    return await verdict(ruleGroupsEvaluated(prometheus.endpoint, { files: ['/rules/a.yml'], within: '1m' }))
  }

  test('a file that is not loaded is named', async () => {
    expect(await ask([])).toEqual({ pass: false, why: 'not loaded: /rules/a.yml' })
  })

  test('a group that was not evaluated since the start is named', async () => {
    expect(await ask([group(BEFORE)])).toMatchObject({ pass: false, why: 'not yet evaluated: disks (/rules/a.yml)' })
  })

  test('a group evaluated since the start passes', async () => {
    expect(await ask([group(AFTER)])).toEqual({ pass: true, detail: '1 rule group' })
  })

  test('a group that is evaluated once an hour is not waited for', async () => {
    expect(await ask([group(NEVER, 3600)])).toMatchObject({ pass: true })
  })
})

describe('samples that are sent on', () => {
  const started = Date.parse(STARTED) / 1000
  const page = (...sent: readonly (readonly [string, number])[]) =>
    running({
      '/api/v1/targets?state=active': data({ activeTargets: [target('10.0.0.1:9100', AFTER)] }),
      '/metrics': new Answer(
        200,
        sent
          .map(
            ([url, at]) =>
              `prometheus_remote_storage_queue_highest_sent_timestamp_seconds{remote_name="a",url="${url}"} ${at}\n`,
          )
          .join(''),
      ),
    })
  const asked = async (pages: Pages) => {
    await using agent = await webServer('agent-1', pages)
    return await verdict(samplesSent(agent.endpoint, { within: '1m' }))
  }

  test('are there once every receiver has taken one of this start', async () => {
    expect(await asked(page(['http://a/w', started + 5], ['http://b/w', started + 6]))).toMatchObject({ pass: true })
  })

  test('are not where one has taken none, or only some of an earlier start', async () => {
    expect(await asked(page(['http://a/w', started + 5], ['http://b/w', 0]))).toMatchObject({
      pass: false,
      why: 'nothing of this start was taken by http://b/w',
    })
    expect(await asked(page(['http://a/w', started - 60]))).toMatchObject({ pass: false })
  })

  test('are not where there is nowhere to send', async () => {
    expect(await asked(page())).toMatchObject({ pass: false, why: 'it has no remote write' })
  })

  test('are not waited for where nothing is scraped', async () => {
    const nothing = { ...page(['http://a/w', 0]), '/api/v1/targets?state=active': data({ activeTargets: [] }) }
    expect(await asked(nothing)).toMatchObject({ pass: true, detail: 'no target' })
  })
})
