import { killed } from '../../lib/drill/fault.ts'
import { drill, some } from '../../lib/drill/scenario.ts'

export default drill({
  name: 'kill-both',
  summary: 'A Prometheus and an Alertmanager are killed at the same moment',
  contract: 'Each Prometheus sends to every Alertmanager: whichever of them are left, a path is.',
  faults: ({ prometheus, alertmanagers }) => [
    ...some(prometheus, 2, 'Prometheus')
      .slice(0, 1)
      .map(({ host, unit }) => killed(host, unit, 'Prometheus')),
    ...some(alertmanagers, 2, 'Alertmanagers')
      .slice(-1)
      .map(({ host, unit }) => killed(host, unit, 'Alertmanager')),
  ],
  allowed: { duplicates: 'rarely', delay: '15s' },
})
