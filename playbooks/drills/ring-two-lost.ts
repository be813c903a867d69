import { dead } from '../../lib/drill/fault.ts'
import { drill, some } from '../../lib/drill/scenario.ts'
import { untoldInARing } from './untold-in-a-ring.ts'

export default drill({
  name: 'ring-two-lost',
  summary: 'Two instances of a ring of Cortex Alertmanagers are lost at the same moment',
  contract:
    'One of the three instances of a tenant is enough to take an alert and to notify. What the lost ones had just done they may not have said. Those that are back are told nothing by the others until their connections to them are made again: until then they may notify once more what the others have.',
  // Until it must have been told again what the others notify.
  afterwards: '30s',
  faults: ({ ring }) =>
    some(ring, 3, 'instances of a ring')
      .slice(0, 2)
      .map(({ host, unit }) => dead(host, unit, 'the instance')),
  allowed: { duplicates: 'rarely', untold: untoldInARing, delay: '30s' },
})
