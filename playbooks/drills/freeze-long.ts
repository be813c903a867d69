import { frozen } from '../../lib/drill/fault.ts'
import { drill, some } from '../../lib/drill/scenario.ts'

export default drill({
  name: 'freeze-long',
  summary: 'One Alertmanager hangs for longer than an alert lasts that is not heard of again',
  contract:
    'Prometheus tells an Alertmanager when an alert is over unless it hears more of it. One that hangs until then says so when it goes on.',
  lasts: '60s',
  faults: ({ alertmanagers }) =>
    some(alertmanagers, 2, 'Alertmanagers')
      .slice(0, 1)
      .map(({ host, unit }) => frozen(host, unit, 'Alertmanager')),
  allowed: { duplicates: 'rarely', falseResolves: 'rarely', delay: '20s' },
})
