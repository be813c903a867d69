import { dead } from '../../lib/drill/fault.ts'
import { drill, some } from '../../lib/drill/scenario.ts'
import { untoldInARing } from './untold-in-a-ring.ts'

export default drill({
  name: 'ring-member-lost',
  summary: 'One instance of a ring of Cortex Alertmanagers is lost',
  contract:
    'An alert is taken once one of the instances of its tenant has it, and each of those that are left notifies in its turn. What the lost one had just done it may not have said. One that is back is told nothing by the others until their connections to it are made again: until then it may notify once more what they have.',
  // Until it must have been told again what the others notify.
  afterwards: '30s',
  faults: ({ ring }) =>
    some(ring, 3, 'instances of a ring')
      .slice(0, 1)
      .map(({ host, unit }) => dead(host, unit, 'the instance')),
  allowed: { duplicates: 'rarely', untold: untoldInARing, delay: '20s' },
})
