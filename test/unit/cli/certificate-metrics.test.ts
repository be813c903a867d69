import { expect, test } from 'vitest'
import { metricsOf } from '../../../cli/commands/certificates/metrics.ts'
import type { Host } from '../../../lib/model.ts'

const hosts = [
  { name: 'am-1', tls: { renewBefore: '10d' } },
  { name: 'am-2', tls: { renewBefore: '10d', own: {} } },
] as unknown as readonly Host[]
const server = { role: 'alertmanager', port: 9093, speaks: 'tls', until: '2026-12-31T00:00:00.000Z', problem: '' }

test('ends, renewals and what is refused are metrics; of a server that does not answer nothing is known', () => {
  const text = metricsOf(
    'ha',
    {
      authorities: [{ subject: 'CN=Vestal "ha" 1', until: '2031-01-01T00:00:00.000Z' }],
      servers: [
        { ...server, host: 'am-1' },
        { ...server, host: 'am-2', problem: 'it is foreign' },
        { ...server, host: 'am-3', speaks: '', until: '', problem: 'nothing answers' },
      ],
    },
    { hosts, now: Date.parse('2026-11-28T00:00:00Z') },
  )
  expect(text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([
    'vestal_certificate_expiry_timestamp_seconds{inventory="ha",host="am-1",role="alertmanager",port="9093"} 1798675200',
    'vestal_certificate_expiry_timestamp_seconds{inventory="ha",host="am-2",role="alertmanager",port="9093"} 1798675200',
    'vestal_certificate_renewal_timestamp_seconds{inventory="ha",host="am-1",role="alertmanager",port="9093"} 1797811200',
    'vestal_certificate_trusted{inventory="ha",host="am-1",role="alertmanager",port="9093"} 1',
    'vestal_certificate_trusted{inventory="ha",host="am-2",role="alertmanager",port="9093"} 0',
    'vestal_certificate_authority_expiry_timestamp_seconds{inventory="ha",subject="CN=Vestal \\"ha\\" 1"} 1924992000',
    'vestal_certificates_checked_timestamp_seconds{inventory="ha"} 1795824000',
  ])
  expect(text.match(/^# TYPE \S+ gauge$/gm)).toHaveLength(5)
})
