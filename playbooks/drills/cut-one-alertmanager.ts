import { cutOff } from '../../lib/drill/fault.ts'
import { drill, some } from '../../lib/drill/scenario.ts'

export default drill({
  name: 'cut-one-alertmanager',
  summary: 'No Prometheus reaches one of the Alertmanagers',
  contract: 'An Alertmanager that is sent nothing has nothing to notify. The others are sent everything.',
  // Shorter than an alert lasts that is not heard of again, with a resend_delay of 10s or more.
  lasts: '25s',
  faults: ({ prometheus, alertmanagers }) => {
    const [cut] = some(alertmanagers, 2, 'Alertmanagers')
    if (!cut) return []
    return some(prometheus, 1, 'Prometheus').map(({ host }) =>
      cutOff(
        host,
        { from: [cut.address], port: cut.port, protocols: ['tcp'], both: false },
        `${host.name} does not reach the Alertmanager of ${cut.host.name}`,
      ),
    )
  },
  allowed: { duplicates: 'rarely', delay: '15s' },
})
