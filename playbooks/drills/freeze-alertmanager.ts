import { frozen } from '../../lib/drill/fault.ts'
import { drill, some } from '../../lib/drill/scenario.ts'

export default drill({
  name: 'freeze-alertmanager',
  summary: 'One Alertmanager hangs: its connections stand, and it says nothing',
  contract:
    'Those that hear nothing of it notify in its place. It may say once more what it had begun to say when it froze.',
  // Shorter than an alert lasts that is not heard of again, with a resend_delay of 10s or more.
  lasts: '20s',
  faults: ({ alertmanagers }) =>
    some(alertmanagers, 2, 'Alertmanagers')
      .slice(0, 1)
      .map(({ host, unit }) => frozen(host, unit, 'Alertmanager')),
  allowed: { duplicates: 'rarely', delay: '20s' },
})
