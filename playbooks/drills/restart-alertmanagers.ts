import { restarted } from '../../lib/drill/fault.ts'
import { drill, some } from '../../lib/drill/scenario.ts'

export default drill({
  name: 'restart-alertmanagers',
  summary: 'All Alertmanagers are restarted at the same moment',
  contract:
    'Silences and what was notified are on disk after a clean stop; alerts come again from Prometheus. What was being notified at that moment may be notified twice.',
  faults: ({ alertmanagers }) =>
    some(alertmanagers, Math.max(1, alertmanagers.length), 'Alertmanagers').map(({ host, unit }) =>
      restarted(host, unit, { title: 'Alertmanager', downSeconds: 8 }),
    ),
  allowed: { duplicates: 'freely', delay: '40s' },
})
