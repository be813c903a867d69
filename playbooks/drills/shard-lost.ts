import { dead } from '../../lib/drill/fault.ts'
import { drill, some } from '../../lib/drill/scenario.ts'

export default drill({
  name: 'shard-lost',
  summary: 'Every replica of the last shard is lost at the same moment',
  contract:
    'Shards know nothing of each other: alerts of all others come as ever. Those of the lost one are evaluated again once it is back, and those that were over by then never.',
  // With what Prometheus takes to start and to evaluate, shorter than an alert lasts that is not heard of again (four times its resend_delay), of 10s or more.
  lasts: '15s',
  faults: ({ shards }) =>
    some(shards, Math.max(2, shards.length), 'shards')
      .slice(-1)
      .flatMap(({ prometheus }) => prometheus.map(({ host, unit }) => dead(host, unit, 'Prometheus'))),
  allowed: { duplicates: 'rarely', delay: '45s' },
})
