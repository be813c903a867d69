/** What the real programs answer, whole, with the parts that a test is about in their place. */

const NEVER = '0001-01-01T00:00:00Z'

export const targetAnswer = (more: Readonly<Record<string, unknown>> = {}) => ({
  scrapePool: 'node',
  scrapeUrl: 'http://10.0.0.1:9100/metrics',
  health: 'up',
  lastScrape: NEVER,
  labels: { job: 'node', instance: '10.0.0.1:9100' },
  discoveredLabels: { __address__: '10.0.0.1:9100' },
  ...more,
})

export const ruleAnswer = (more: Readonly<Record<string, unknown>> = {}) => ({
  type: 'recording',
  name: 'job:up:sum',
  query: 'sum by (job) (up)',
  ...more,
})

export const groupAnswer = (more: Readonly<Record<string, unknown>> = {}) => ({
  name: 'disks',
  file: '/rules/a.yml',
  interval: 15,
  lastEvaluation: NEVER,
  rules: [],
  ...more,
})

export const statusAnswer = (cluster: Readonly<Record<string, unknown>>) => ({
  cluster,
  versionInfo: { version: '0.33.1' },
  config: { original: 'route: {receiver: default}' },
  uptime: '2026-01-01T00:00:00Z',
})

export const silenceAnswer = (id: string, state = 'active') => ({
  id,
  status: { state },
  matchers: [{ name: 'alertname', value: 'Down', isRegex: false, isEqual: true }],
  startsAt: '2026-01-01T09:00:00Z',
  endsAt: '2026-01-01T12:00:00Z',
  createdBy: 'op',
  comment: 'work',
})

export const alertAnswer = (fingerprint: string, more: Readonly<Record<string, unknown>> = {}) => ({
  fingerprint,
  startsAt: '2026-01-01T09:00:00Z',
  endsAt: '2026-01-01T10:03:00Z',
  updatedAt: '2026-01-01T09:59:00Z',
  annotations: {},
  labels: { alertname: `Alert ${fingerprint}` },
  ...more,
})
