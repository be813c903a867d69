import { expect, test } from 'vitest'
import { connect } from '../../../lib/connection/connect.ts'
import { alertmanagerStatus, prometheusStatus } from '../../../lib/gates/status.ts'
import { alertAnswer, groupAnswer, ruleAnswer, statusAnswer, targetAnswer } from './answers.ts'
import { Answer, webServer } from './web-server.ts'

const alert = (state: string) => ({ labels: { alertname: 'Down' }, state })

test('a Prometheus says how many targets are up and how many alerts fire', async () => {
  await using server = await webServer('prom-1', {
    '/-/ready': new Answer(200, 'ready'),
    '/api/v1/targets?state=active': { data: { activeTargets: [targetAnswer(), targetAnswer({ health: 'down' })] } },
    '/api/v1/rules': {
      data: {
        groups: [
          groupAnswer({
            rules: [ruleAnswer({ type: 'alerting', alerts: [alert('firing'), alert('pending')] }), ruleAnswer()],
          }),
        ],
      },
    },
  })
  expect(await prometheusStatus(server.endpoint)(connect)).toEqual({
    ready: true,
    targets: { up: 1, of: 2 },
    alerts: 1,
  })
})

test('a Prometheus that starts says how far its WAL is replayed', async () => {
  await using server = await webServer('prom-1', {
    '/-/ready': new Answer(503, 'Service Unavailable'),
    '/api/v1/status/walreplay': { data: { min: 0, max: 12, current: 3 } },
  })
  expect(await prometheusStatus(server.endpoint)(connect)).toEqual({ ready: false, replay: '3 of 12' })
})

test('an Alertmanager says whom it sees, and how many alerts it holds', async () => {
  await using server = await webServer('am-1', {
    '/api/v2/status': statusAnswer({ status: 'ready', peers: [{ name: 'am-1', address: '10.0.0.1:9094' }] }),
    '/api/v2/alerts': [alertAnswer('a'), alertAnswer('b')],
  })
  const expected = ['10.0.0.1:9094', '10.0.0.2:9094']
  expect(await alertmanagerStatus(server.endpoint, { self: '10.0.0.1:9094', expected })(connect)).toEqual({
    ready: true,
    members: { self: '10.0.0.1:9094', seen: ['10.0.0.1:9094'], expected },
    alerts: 2,
  })
})

test('an Alertmanager without a cluster has no members to show', async () => {
  await using server = await webServer('am-1', {
    '/api/v2/status': statusAnswer({ status: 'disabled' }),
    '/api/v2/alerts': [],
  })
  expect(await alertmanagerStatus(server.endpoint, { self: '', expected: [] })(connect)).toEqual({
    ready: true,
    alerts: 0,
  })
})
