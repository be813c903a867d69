import { drill, some } from '../../lib/drill/scenario.ts'
import { leavesAndJoins } from './scaling.ts'

export default drill({
  name: 'scale-alertmanagers',
  summary: 'The last Alertmanager leaves the fleet by remove-node, and joins it again by add-node',
  contract:
    'Nobody sends to a member that is not there, and none is waited for. Those that are restarted, one after the other, may notify again what they were notifying.',
  lasts: '5s',
  faults: (fleet) =>
    some(fleet.alertmanagers, Math.max(3, fleet.alertmanagers.length), 'Alertmanagers')
      .slice(-1)
      .map((one) => leavesAndJoins(one, fleet)),
  allowed: { duplicates: 'rarely', delay: '25s' },
})
