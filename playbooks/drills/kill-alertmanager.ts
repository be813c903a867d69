import { killed } from '../../lib/drill/fault.ts'
import { drill, some } from '../../lib/drill/scenario.ts'

export default drill({
  name: 'kill-alertmanager',
  summary: 'One Alertmanager is killed, with what it had not written to disk',
  contract:
    'Silences and what was notified are known to every member: a killed one learns them from the others. What it did in its last moments it may not have said.',
  faults: ({ alertmanagers }) =>
    some(alertmanagers, 2, 'Alertmanagers')
      .slice(0, 1)
      .map(({ host, unit }) => killed(host, unit, 'Alertmanager')),
  allowed: { duplicates: 'rarely', delay: '15s' },
})
