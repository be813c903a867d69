import { dead } from '../../lib/drill/fault.ts'
import { drill, some } from '../../lib/drill/scenario.ts'

export default drill({
  name: 'ring-two-lost',
  summary: 'Two instances of a ring of Cortex Alertmanagers are lost at the same moment',
  contract:
    'One of the three instances of a tenant is enough to take an alert and to notify. What the lost ones had just done they may not have said.',
  faults: ({ ring }) =>
    some(ring, 3, 'instances of a ring')
      .slice(0, 2)
      .map(({ host, unit }) => dead(host, unit, 'the instance')),
  allowed: { duplicates: 'rarely', delay: '30s' },
})
