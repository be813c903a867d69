import { killed } from '../../lib/drill/fault.ts'
import { drill, some } from '../../lib/drill/scenario.ts'

export default drill({
  name: 'kill-prometheus',
  summary: 'One Prometheus is killed; its replica goes on',
  contract: 'Replicas send the same alerts, and the Alertmanagers notify each once, whichever of them sends it.',
  faults: ({ prometheus }) =>
    some(prometheus, 2, 'Prometheus')
      .slice(0, 1)
      .map(({ host, unit }) => killed(host, unit, 'Prometheus')),
  allowed: { duplicates: 'never', delay: '10s' },
})
