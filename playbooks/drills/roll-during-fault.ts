import { frozen, later, restarted } from '../../lib/drill/fault.ts'
import { drill, some } from '../../lib/drill/scenario.ts'

export default drill({
  name: 'roll-during-fault',
  summary: 'The Alertmanagers are restarted one after the other while a Prometheus hangs',
  contract:
    'One Prometheus and all but one of the Alertmanagers are left at any moment. A restarted one may notify again what it was notifying.',
  lasts: '60s',
  faults: ({ prometheus, alertmanagers }) => [
    ...some(prometheus, 2, 'Prometheus')
      .slice(0, 1)
      .map(({ host, unit }) => frozen(host, unit, 'Prometheus')),
    ...some(alertmanagers, Math.max(2, alertmanagers.length), 'Alertmanagers').map(({ host, unit }, at) => ({
      ...later(restarted(host, unit, 'Alertmanager'), 5 + 20 * at),
    })),
  ],
  allowed: { duplicates: 'rarely', delay: '25s' },
})
