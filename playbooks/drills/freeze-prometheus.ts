import { frozen } from '../../lib/drill/fault.ts'
import { drill, some } from '../../lib/drill/scenario.ts'

export default drill({
  name: 'freeze-prometheus',
  summary: 'One Prometheus hangs; its replica goes on',
  contract: 'The replica sends the same alerts; what the frozen one sends when it goes on is nothing new.',
  faults: ({ prometheus }) =>
    some(prometheus, 2, 'Prometheus')
      .slice(0, 1)
      .map(({ host, unit }) => frozen(host, unit, 'Prometheus')),
  allowed: { duplicates: 'never', delay: '10s' },
})
