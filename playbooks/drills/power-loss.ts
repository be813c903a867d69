import { powerLost } from '../../lib/drill/fault.ts'
import { drill, some } from '../../lib/drill/scenario.ts'

export default drill({
  name: 'power-loss',
  summary: 'A machine with an Alertmanager loses its power, and gets it back',
  contract: 'The others notify in its place, and what it knew it learns from them when it is back.',
  where: 'lab',
  faults: ({ alertmanagers }) =>
    some(alertmanagers, 2, 'Alertmanagers')
      .slice(0, 1)
      .map(({ host }) => powerLost(host)),
  allowed: { duplicates: 'rarely', delay: '20s', healed: '3m' },
})
