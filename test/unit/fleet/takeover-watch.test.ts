import { expect, test } from 'vitest'
import { askedLike } from '../../../fleet/takeover-watch.ts'

const FILE = `x-client: &client { scheme: https, basic_auth: { username: scrape, password_file: ../secret }, tls_config: { ca_file: ca.crt } }
scrape_configs:
- job_name: self
  static_configs: [{ targets: ['localhost:9090'] }]
- <<: *client
  job_name: machines
  metrics_path: /node/metrics
  scrape_interval: 5s
  relabel_configs: [{ action: drop, regex: x }]
  static_configs: [{ targets: ['10.0.0.1:9100'] }]
- job_name: 01
  authorization: { credentials_file: token }
`

test('canary alerts are read as the job that reads the machine already: by TLS, as its user, and nothing else of it', () => {
  expect(askedLike(FILE, 'machines')).toEqual({
    scheme: 'https',
    basic_auth: { username: 'scrape', password_file: '../secret' },
    tls_config: { ca_file: 'ca.crt' },
    metrics_path: '/node/metrics',
  })
  expect(askedLike(FILE, 'self')).toEqual({})
  expect(askedLike(FILE, 'of a file beside')).toEqual({})
  expect(askedLike('', 'machines')).toEqual({})
})
