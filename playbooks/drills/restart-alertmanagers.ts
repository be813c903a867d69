import { stopped } from '../../lib/drill/fault.ts'
import { drill, some } from '../../lib/drill/scenario.ts'

export default drill({
  name: 'restart-alertmanagers',
  summary: 'All Alertmanagers are stopped at the same moment, and started again when the last one is down',
  contract:
    'Silences and what was notified are on disk after a clean stop; alerts come again from Prometheus. What was being notified at that moment may be notified twice.',
  // At least: a stop takes as long as it takes, and none is started before all are down. One that is up alone would tell the others what they have forgotten.
  lasts: '5s',
  faults: ({ alertmanagers }) =>
    some(alertmanagers, Math.max(1, alertmanagers.length), 'Alertmanagers').map(({ host, unit }) =>
      stopped(host, unit, 'Alertmanager'),
    ),
  allowed: { duplicates: 'freely', delay: '40s' },
})
