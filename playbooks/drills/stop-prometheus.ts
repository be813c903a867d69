import { stopped } from '../../lib/drill/fault.ts'
import { drill, some } from '../../lib/drill/scenario.ts'

export default drill({
  name: 'stop-prometheus',
  summary: 'One Prometheus is away for longer than an alert lasts without being sent again',
  contract: 'An alert ends where nobody sends it any more. The replica does: none may be notified as resolved.',
  lasts: '50s',
  faults: ({ prometheus }) =>
    some(prometheus, 2, 'Prometheus')
      .slice(1, 2)
      .map(({ host, unit }) => stopped(host, unit, 'Prometheus')),
  allowed: { duplicates: 'never', delay: '10s' },
})
