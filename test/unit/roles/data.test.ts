import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { data as alertmanager } from '../../../roles/alertmanager/data.ts'
import { data as prometheus } from '../../../roles/prometheus/data.ts'

test.each(['2.2.1', '2.9.2', '2.42.0', '2.49.1', '2.54.1', '2.55.0', '2.55.1', '3.0.0', '3.5.3', '1.8.2'])(
  'a snapshot is taken before the step from %s to Prometheus 3 if it could not read what that writes',
  (from) => {
    const pattern = prometheus.snapshotFrom?.('3.5.3')
    const { status } = spawnSync('sh', ['-c', `case ${from} in ${pattern}) ;; *) exit 1 ;; esac`])
    expect(status === 0).toBe(prometheus.unreadable?.({ wrote: '3.5.3', reader: from }) !== null)
  },
)

test('no snapshot is taken on the way to Prometheus 2', () => {
  expect(prometheus.snapshotFrom?.('2.55.1')).toBe(null)
})

test('an older Alertmanager cannot read the silences of four versions', () => {
  const reads = (wrote: string, reader: string) => alertmanager.unreadable?.({ wrote, reader }) === null
  expect([reads('0.33.0', '0.31.0'), reads('0.33.0', '0.33.1'), reads('0.33.1', '0.28.1')]).toEqual([false, true, true])
})
