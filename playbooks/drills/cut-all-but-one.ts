import { cutOff } from '../../lib/drill/fault.ts'
import { drill, some } from '../../lib/drill/scenario.ts'

export default drill({
  name: 'cut-all-but-one',
  summary: 'Every Prometheus reaches one Alertmanager only, the last one to notify',
  contract: 'One path is enough: what comes to one member only is notified by it, after its turn.',
  // Shorter than an alert lasts that is not heard of again, with a resend_delay of 10s or more.
  lasts: '25s',
  faults: ({ prometheus, alertmanagers }) => {
    const cut = some(alertmanagers, Math.max(2, alertmanagers.length), 'Alertmanagers').slice(0, -1)
    return some(prometheus, 1, 'Prometheus').flatMap(({ host }) =>
      cut.map((member) =>
        cutOff(
          host,
          { from: [member.address], port: member.port, protocols: ['tcp'], both: false },
          `${host.name} does not reach the Alertmanager of ${member.host.name}`,
        ),
      ),
    )
  },
  allowed: { duplicates: 'rarely', delay: '15s' },
})
