import { crashing } from '../../lib/drill/fault.ts'
import { drill, some } from '../../lib/drill/scenario.ts'

export default drill({
  name: 'crash-loop',
  summary: 'One Alertmanager crashes again and again; afterwards there are no members but those that are',
  contract:
    'A member that comes back by the same name and address is the same one: none that never was stays in the list.',
  lasts: '40s',
  faults: ({ alertmanagers }) =>
    some(alertmanagers, 2, 'Alertmanagers')
      .slice(1, 2)
      .map(({ host, unit }) => crashing(host, unit, 'Alertmanager')),
  allowed: { duplicates: 'rarely', delay: '20s' },
})
